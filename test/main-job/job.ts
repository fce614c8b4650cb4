import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type KafkaSettings, type RunningProcessor, startProcessor } from '@tokenfuse/processor'
import { ProcessorClient } from '../../cli/src/processor/client.ts'
import { collectorEnvironment } from '../support/collector-environment.ts'
import { type Provider, startProvider } from '../support/provider/client.ts'
import type { RunningStack } from '../support/running-stack.ts'
import { settledIn } from '../support/settled.ts'
import { AgentProcess } from './agent-process.ts'
import { AGENTS, POLICY, PROVIDER } from './agents.ts'

const BUILD = join(import.meta.dirname, '../../scripts/build.ts')

/** Stand-in, processor and agents, with state and ports of their own. */
export type Job = {
  readonly client: ProcessorClient
  readonly provider: Provider
  readonly agents: readonly AgentProcess[]
  /** Waits until all that agents reported is counted. */
  settled(): Promise<void>
}

export type JobOptions = {
  /** Spans go through a Collector and Kafka. */
  readonly kafka: boolean
}

/** Starts everything. What is started is ended by `cleanUp`, however far the start came. */
export class JobStart {
  readonly #folder = mkdtempSync(join(tmpdir(), 'tokenfuse-main-job-'))
  #stack: Promise<RunningStack> | null = null
  #processor: Promise<RunningProcessor> | null = null
  #provider: Promise<Provider> | null = null
  #agents: AgentProcess[] = []

  async run({ kafka }: JobOptions): Promise<Job> {
    const policyFile = join(this.#folder, 'tokenfuse.yaml')
    writeFileSync(policyFile, POLICY)
    const dataDirectory = join(this.#folder, '.tokenfuse')
    this.#provider = startProvider(PROVIDER)
    const stack = kafka ? await this.#startStack() : null
    const brokers = stack === null ? {} : { kafka: kafkaSettings(stack) }
    this.#processor = startProcessor({ dataDirectory, port: 0, policyFile, ...brokers })
    const [processor, provider] = await Promise.all([this.#processor, this.#provider, build()])
    const { url, token } = processor
    const place = {
      processorUrl: url,
      token,
      providerUrl: provider.url,
      spoolDirectory: join(this.#folder, 'spool'),
      environment: stack === null ? {} : collectorEnvironment(stack.collector),
    }
    this.#agents = AGENTS.map((spec) => new AgentProcess(spec, place))
    const client = new ProcessorClient({ url, token, tokenFile: null })
    const settled = async () => {
      if (stack !== null) await settledIn(stack, async () => (await client.status()).offset)
    }
    return { client, provider, agents: this.#agents, settled }
  }

  /** @throws {Error} with what to install where something is missing */
  async #startStack(): Promise<RunningStack> {
    const { RunningStack } = await import('../support/running-stack.ts')
    this.#stack = RunningStack.start(join(this.#folder, 'stack'))
    return this.#stack
  }

  async cleanUp(): Promise<void> {
    await Promise.allSettled(this.#agents.map((agent) => agent.stop()))
    await Promise.allSettled([
      this.#processor?.then((processor) => processor.close()),
      this.#provider?.then((provider) => provider.stop()),
    ])
    // The processor first, which still says what it must.
    await this.#stack?.then((stack) => stack.stop()).catch(() => {})
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

function kafkaSettings(stack: RunningStack): KafkaSettings {
  return { brokers: [stack.brokers], tls: null, sasl: null }
}

/** The preload is loaded as it is published: built. Does nothing where it is up to date. */
async function build(): Promise<void> {
  await promisify(execFile)(process.execPath, [BUILD, 'instrumentation'])
}
