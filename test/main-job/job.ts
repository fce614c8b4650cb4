import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type RunningProcessor, startProcessor } from '@tokenfuse/processor'
import { ProcessorClient } from '../../cli/src/processor/client.ts'
import { type Provider, startProvider } from '../support/provider/client.ts'
import { AgentProcess } from './agent-process.ts'
import { AGENTS, POLICY, PROVIDER } from './agents.ts'

const BUILD = join(import.meta.dirname, '../../scripts/build.ts')

/** Stand-in, processor and agents, with state and ports of their own. */
export type Job = {
  readonly client: ProcessorClient
  readonly provider: Provider
  readonly agents: readonly AgentProcess[]
}

/** Starts everything. What is started is ended by `cleanUp`, however far the start came. */
export class JobStart {
  readonly #folder = mkdtempSync(join(tmpdir(), 'tokenfuse-main-job-'))
  #processor: Promise<RunningProcessor> | null = null
  #provider: Promise<Provider> | null = null
  #agents: AgentProcess[] = []

  async run(): Promise<Job> {
    const policyFile = join(this.#folder, 'tokenfuse.yaml')
    writeFileSync(policyFile, POLICY)
    const dataDirectory = join(this.#folder, '.tokenfuse')
    this.#processor = startProcessor({ dataDirectory, port: 0, policyFile })
    this.#provider = startProvider(PROVIDER)
    const [processor, provider] = await Promise.all([this.#processor, this.#provider, build()])
    const { url, token } = processor
    const place = {
      processorUrl: url,
      token,
      providerUrl: provider.url,
      spoolDirectory: join(this.#folder, 'spool'),
    }
    this.#agents = AGENTS.map((spec) => new AgentProcess(spec, place))
    const client = new ProcessorClient({ url, token, tokenFile: null })
    return { client, provider, agents: this.#agents }
  }

  async cleanUp(): Promise<void> {
    await Promise.allSettled(this.#agents.map((agent) => agent.stop()))
    await Promise.allSettled([
      this.#processor?.then((processor) => processor.close()),
      this.#provider?.then((provider) => provider.stop()),
    ])
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** The preload is loaded as it is published: built. Does nothing where it is up to date. */
async function build(): Promise<void> {
  await promisify(execFile)(process.execPath, [BUILD, 'instrumentation'])
}
