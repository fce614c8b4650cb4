// A process that records spans and then goes on, or ends, in the way asked for. Says what it does as JSON lines.
import { writeSync } from 'node:fs'
import { createControlClient } from '../../../../instrumentation/src/control/index.ts'
import { createTelemetry } from '../../../../instrumentation/src/telemetry/index.ts'
import { aCall } from './call.ts'

export type AgentTask = {
  /** Records the calls from `from` up to but not including `to`. */
  readonly from: number
  readonly to: number
  readonly then: 'end' | 'exit' | 'throw' | 'stay' | 'block' | 'handle' | 'reject'
  /** Bytes of a name in each call, to make large requests. */
  readonly padding?: number
  readonly withControl?: boolean
}

const say = (words: object) => writeSync(1, `${JSON.stringify(words)}\n`)

const task = JSON.parse(process.argv[2] ?? '{}') as AgentTask
const surroundings = { environment: process.env, workingDirectory: process.cwd() }
const telemetry = createTelemetry(surroundings)
if (task.withControl) createControlClient({ ...surroundings, guardId: telemetry.guardId })

for (let n = task.from; n < task.to; n++) {
  telemetry.record(aCall(n, { responseId: `r${n}`.padEnd(task.padding ?? 0, 'x') }))
}
const doneMs = performance.now()
process.on('exit', () => say({ endedAfterMs: performance.now() - doneMs, ...telemetry.stats() }))

const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const
const listeners = signals.reduce((sum, signal) => sum + process.listenerCount(signal), 0)

const stays = task.then === 'stay' || task.then === 'handle'
const alive = stays ? setInterval(() => {}, 1000) : undefined
if (task.then === 'handle') {
  process.once('SIGTERM', () => {
    say({ handled: true })
    process.exitCode = 7
    clearInterval(alive)
  })
}
say({ listeners })

if (task.then === 'exit') process.exit(3)
if (task.then === 'throw') throw new Error('on purpose')
if (task.then === 'reject') void Promise.reject(new Error('on purpose'))
if (task.then === 'block') for (;;);
