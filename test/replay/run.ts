import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { crashAll, type Deployment, startDeployment } from '../support/deployment.ts'
import {
  hostsOf,
  makeTemporaryFolder,
  type ProcessorProcess,
  sendLeftSpans,
} from '../support/processes.ts'
import { type Provider, startProvider } from '../support/provider/client.ts'
import { labelOf } from './replay-plan.ts'
import { check, type Outcome } from './check.ts'
import { type Crew, startCrew } from './crew.ts'
import type { ReplayOptions } from './options.ts'
import { parseRecording, type RecordedRun } from './recording.ts'

/** Where agents are killed, if they are: after most calls, and with some left to do. */
const KILL_AGENTS_AT = 0.6

/** The recorded answers are long; events of a token each would measure nothing but the client's parser. */
const TOKENS_PER_EVENT = 16

type Stage = {
  readonly options: ReplayOptions
  readonly recording: readonly RecordedRun[]
  readonly provider: Provider
  readonly folder: string
  readonly spoolDirectory: string
  readonly tell: (line: string) => void
  readonly deployment: Deployment
  processor: ProcessorProcess
}

/** Replays a recording and holds what the processor then says against the file and the stand-in. */
export async function replayRecording(
  options: ReplayOptions,
  tell: (line: string) => void,
): Promise<Outcome> {
  const recording = parseRecording(readFileSync(options.file, 'utf8'))
  await using started = new AsyncDisposableStack()
  const folder = started.adopt(makeTemporaryFolder(), (made) => made.remove())
  const spoolDirectory = join(folder.path, 'spool')
  mkdirSync(spoolDirectory, { mode: 0o700 })
  const provider = started.adopt(
    await startProvider({ tokensPerEvent: TOKENS_PER_EVENT }),
    (running) => running.stop(),
  )
  const deployment = await startDeployment(options.kafka, folder.path)
  started.defer(() => deployment.stop())
  const processor = await deployment.startProcessor(join(folder.path, 'data'), {})
  const stage: Stage = {
    options,
    recording,
    provider,
    folder: folder.path,
    spoolDirectory,
    tell,
    deployment,
    processor,
  }
  started.defer(() => stage.processor.stop())
  await makeCalls(stage)
  return await holdAgainst(stage)
}

async function makeCalls(stage: Stage): Promise<void> {
  const { options, recording, tell } = stage
  const total = recording.reduce((sum, { calls }) => sum + calls.length, 0)
  tell(`${total} calls in ${recording.length} runs …`)
  const at = milestones()
  const restarted =
    options.killAt === null ? null : at.reach(options.killAt * total).then(() => restart(stage))
  const first = crewFor(stage, at.count, new Map())
  const killed = options.killAgents
    ? at.reach(KILL_AGENTS_AT * total).then(() => killCrew(stage, first))
    : null
  await first.done
  if (await killed) await crewFor(stage, at.count, await callsMade(stage)).done
  await restarted
}

/** Counts the calls that were answered, and tells when there were so many. */
function milestones() {
  let answered = 0
  const waiting: { readonly calls: number; readonly resolve: () => void }[] = []
  return {
    count: () => {
      answered++
      for (const { calls, resolve } of waiting) if (answered >= calls) resolve()
    },
    reach: (calls: number): Promise<void> => {
      const { promise, resolve } = Promise.withResolvers<void>()
      if (answered >= calls) resolve()
      else waiting.push({ calls, resolve })
      return promise
    },
  }
}

function crewFor(stage: Stage, answered: () => void, made: ReadonlyMap<string, number>): Crew {
  const { options, recording, provider, processor, folder, spoolDirectory, deployment } = stage
  const runs = recording
    .map((run) => ({ ...run, from: made.get(run.run) ?? 0 }))
    .filter(({ calls, from }) => from < calls.length)
  return startCrew(runs, {
    processor,
    hosts: hostsOf(provider),
    spoolDirectory,
    environment: deployment.spanEnvironment(),
    folder,
    concurrency: options.concurrency,
    plan: { baseUrl: `${provider.url}/v1`, model: options.model, streams: options.streams },
    answered,
  })
}

async function restart(stage: Stage): Promise<void> {
  const { deployment, processor, tell } = stage
  stage.processor = await crashAll(deployment, processor, undefined, tell)
}

async function killCrew(stage: Stage, crew: Crew): Promise<boolean> {
  await crew.kill()
  stage.tell('all agents were killed with -9; others go on with what is left')
  return true
}

/** How many calls of each run have come to the stand-in, once it has noticed which of them were broken off. */
async function callsMade({ provider, recording }: Stage): Promise<Map<string, number>> {
  while ((await provider.inFlight()).length > 0);
  const labels = new Set((await provider.ledger()).map(({ label }) => label))
  return new Map(
    recording.map(({ run, calls }) => [
      run,
      calls.filter((_call, index) => labels.has(labelOf(run, index))).length,
    ]),
  )
}

async function holdAgainst(stage: Stage): Promise<Outcome> {
  const { options, recording, provider, spoolDirectory, tell } = stage
  const { deployment, processor } = stage
  const left = await sendLeftSpans(deployment.spanTarget(processor), spoolDirectory)
  tell(`${left.sentSpans} spans were left in the spool and sent`)
  await deployment.settled(processor)
  const byAgent = await processor.usage(['agent'])
  const byTask = await processor.usage(['task'])
  await processor.stop()
  return check({
    recording,
    ledger: await provider.ledger(),
    events: await deployment.usageEvents(processor.dataDirectory),
    byAgent,
    byTask,
    lostMax: options.killAgents ? options.concurrency : 0,
  })
}
