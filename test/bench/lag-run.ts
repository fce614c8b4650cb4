import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createControlClient } from '../../instrumentation/src/control/index.ts'
import type { ProcessorProcess } from '../support/processes.ts'
import { runBenchApp } from './app.ts'

const library = pathToFileURL(join(import.meta.dirname, '../../instrumentation/dist/index.js')).href

/** Under it, any call of a task leads to a decision on that task. */
export const LAG_POLICY =
  'version: 1\nbudgets:\n  - { id: lag, per: [task], window: lifetime, mode: soft, warnAt: 0.000001, limit: { tokens: 100000000 } }\n'

export type LagRun = {
  readonly processor: ProcessorProcess
  readonly providerUrl: string
  readonly folder: string
  readonly calls: number
  /** Between the starts of two calls. */
  readonly gapMs: number
  /** One of so many calls is measured; the others are of one task. */
  readonly ofSome: number
  /** So many calls come first and are not measured: programs that just began are slow. */
  readonly warmUp: number
  /** Where spans go, if not to the processor. */
  readonly environment?: Readonly<Record<string, string>>
}

/**
 * Makes calls in one process and hears their decisions in this one, as a guard does.
 * @returns the time between the end of each measured call and its decision, ms
 */
export async function measureLags(run: LagRun): Promise<number[]> {
  const { processor, providerUrl, folder, calls, gapMs, ofSome, warmUp } = run
  const environment = { TOKENFUSE_URL: processor.url, TOKENFUSE_TOKEN: processor.token }
  const control = createControlClient({
    environment,
    workingDirectory: folder,
    guardId: 'listener-of-the-bench',
  })
  const heard = new Map<string, number>()
  control.subscribe((message) => {
    if (message.type !== 'decision') return
    const task = message.decision.scope.slice('task='.length)
    if (!heard.has(task)) heard.set(task, performance.timeOrigin + performance.now())
  })
  const ended = (await runBenchApp('paced-calls.mjs', {
    args: [providerUrl, library, ...[calls, gapMs, ofSome, warmUp].map(String)],
    preload: {
      ...environment,
      TOKENFUSE_HOSTS: `${new URL(providerUrl).host}=openai`,
      TOKENFUSE_SPOOL_DIR: join(folder, 'spool'),
      ...run.environment,
    },
  })) as Record<string, number>
  control.close()
  return Object.entries(ended).flatMap(([task, endMs]) => {
    const at = heard.get(task)
    return at === undefined ? [] : [at - endMs]
  })
}
