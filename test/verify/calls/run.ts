import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crashAll, type Deployment, startDeployment } from '../../support/deployment.ts'
import {
  finished,
  hostsOf,
  makeTemporaryFolder,
  type ProcessorProcess,
  sendLeftSpans,
  spawnAgent,
} from '../../support/processes.ts'
import { type Provider, startProvider } from '../../support/provider/client.ts'
import type { AgentPlan } from './agent.ts'
import { compare } from './compare.ts'
import { type Report, summarise, wrongTotals } from './summary.ts'

export type LoadOptions = {
  readonly calls: number
  readonly agents: number
  /** Calls of each agent under way at once. */
  readonly concurrency: number
  readonly seed: number
  /** Through Collector and Kafka, each of which is killed once, as is the processor. */
  readonly kafka: boolean
  readonly tell: (line: string) => void
}

/** The price of the tier that no catalogue lists, as an operator would state it. */
const POLICY = `version: 1
prices:
  - model: gpt-5-mini*
    serviceTier: flex
    inputUsdPerMillion: 0.125
    cacheReadUsdPerMillion: 0.0125
    outputUsdPerMillion: 1
`

const agentFile = join(import.meta.dirname, 'agent.ts')

/** Runs the load in processes of its own and holds what was metered against what was billed. */
export async function verifyCalls(options: LoadOptions): Promise<Report> {
  const startedMs = performance.now()
  await using started = new AsyncDisposableStack()
  const folder = started.adopt(makeTemporaryFolder(), (made) => made.remove())
  const spoolDirectory = join(folder.path, 'spool')
  mkdirSync(spoolDirectory, { mode: 0o700 })
  const policyFile = join(folder.path, 'tokenfuse.yaml')
  writeFileSync(policyFile, POLICY)
  const stop = (running: Provider | ProcessorProcess) => running.stop()
  const { seed } = options
  const usual = started.adopt(await startProvider({ seed }), stop)
  const strict = started.adopt(await startProvider({ seed, rejectStreamOptions: true }), stop)
  const data = join(folder.path, 'data')
  const deployment = await startDeployment(options.kafka, folder.path)
  started.defer(() => deployment.stop())
  let processor = await deployment.startProcessor(data, { policyFile })
  started.defer(() => processor.stop())

  options.tell(`${options.calls} calls by ${options.agents} agents …`)
  const agents = runAgents(options, { usual, strict, processor, deployment, spoolDirectory })
  if (options.kafka) processor = await crashAll(deployment, processor, policyFile, options.tell)
  const problems = await agents
  const left = await sendLeftSpans(deployment.spanTarget(processor), spoolDirectory)
  options.tell(`all agents have ended; ${left.sentSpans} spans were left in the spool and sent`)
  await deployment.settled(processor)
  const { rows } = await processor.usage(['agent'])
  const status = await processor.status()
  await processor.stop()
  const events = await deployment.usageEvents(processor.dataDirectory)
  const entries = [...(await usual.ledger()), ...(await strict.ledger())]
  const judged = compare(entries, events)
  const told = [
    ...problems,
    ...wrongTotals(judged, rows),
    ...(status.deadLetters > 0 ? [`${status.deadLetters} spans became dead letters`] : []),
    ...(status.droppedSpans > 0 ? [`agents gave up ${status.droppedSpans} spans`] : []),
    ...(left.failed + left.droppedSpans > 0 ? ['some spans of the spool could not be sent'] : []),
  ]
  return summarise(judged, told, (performance.now() - startedMs) / 1000)
}

type Surroundings = {
  readonly usual: Provider
  readonly strict: Provider
  readonly processor: ProcessorProcess
  readonly deployment: Deployment
  readonly spoolDirectory: string
}

/** @returns what went otherwise than the scenarios say */
async function runAgents(
  { calls, agents, concurrency, seed }: LoadOptions,
  { usual, strict, processor, deployment, spoolDirectory }: Surroundings,
): Promise<string[]> {
  const quiet = usual.url.replace('127.0.0.1', 'localhost')
  const hosts = [...hostsOf(usual), ...hostsOf(strict), `${new URL(quiet).host}=openai`]
  const share = (index: number) => Math.floor(calls / agents) + (index < calls % agents ? 1 : 0)
  const reports = Array.from({ length: agents }, async (_, index): Promise<string[]> => {
    const plan: AgentPlan = {
      agent: `agent-${index + 1}`,
      seed: seed + index,
      calls: share(index),
      concurrency,
      urls: { usual: usual.url, quiet, strict: strict.url },
    }
    const environment = deployment.spanEnvironment()
    const settings = { processor, hosts, spoolDirectory, environment }
    const child = spawnAgent(agentFile, [JSON.stringify(plan)], settings)
    const { code, signal, output } = await finished(child)
    if (code !== 0) return [`${plan.agent} ended with ${code ?? signal}`]
    const { problems } = JSON.parse(output) as { problems: string[] }
    return problems
  })
  return (await Promise.all(reports)).flat()
}
