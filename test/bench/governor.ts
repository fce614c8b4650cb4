import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Measured, MeasuredMemory } from './governor/measured.ts'
import { atLeast, atMost, type Bench } from './result.ts'

const FEW_SCOPES = 10_000
const MANY_SCOPES = 1_000_000
const HEAP_MB = 6_000

/** Usage events through the governor beside a plain map of sums, at few scopes and at many. */
export const governorEvents: Bench = {
  names: ['governor.events', 'governor.events.growth'],
  async run() {
    const few = await inProcess<Measured>('measure-events.ts', FEW_SCOPES, 'decoded')
    const many = await inProcess<Measured>('measure-events.ts', MANY_SCOPES, 'decoded')
    const [value, unit, count] = [few.governor, 'events/s', few.events]
    const baseline = { name: 'a map of sums, events/s', value: few.baseline }
    const growth = { name: 'of a map of sums', value: few.baseline / many.baseline }
    return [
      atLeast(200_000, { name: 'governor.events', unit, value, count, baseline }),
      atMost(2.5, {
        name: 'governor.events.growth',
        unit: 'times dearer at 1 M scopes',
        value: few.governor / many.governor,
        count: many.events,
        baseline: growth,
      }),
    ]
  },
}

/** The same from the log's own bytes, in both forms that a log has, beside JSON.parse of the events. */
export const governorLog: Bench = {
  names: ['governor.log', 'governor.log.kafka'],
  async run() {
    const fromLog = async (name: string, log: 'sqlite' | 'kafka') => {
      const measured = await inProcess<Measured>('measure-events.ts', FEW_SCOPES, log)
      const { governor: value, events: count, baseline: parsed } = measured
      const baseline = { name: 'JSON.parse, events/s', value: parsed }
      return atLeast(100_000, { name, unit: 'events/s', value, count, baseline })
    }
    return [await fromLog('governor.log', 'sqlite'), await fromLog('governor.log.kafka', 'kafka')]
  },
}

/** What a scope takes that is counted in, of tasks, sessions, users and steps together. */
export const governorScopeBytes: Bench = {
  names: ['governor.scope.bytes'],
  async run() {
    const measured = await inProcess<MeasuredMemory>('measure-memory.ts', FEW_SCOPES, 210_000)
    const { bytesPerScope: value, scopes: count } = measured
    return [atMost(1024, { name: 'governor.scope.bytes', unit: 'bytes', value, count })]
  },
}

/** A process of its own, so that no measurement warms or fills another's memory. */
async function inProcess<Result>(file: string, ...args: (string | number)[]): Promise<Result> {
  const script = fileURLToPath(new URL(`governor/${file}`, import.meta.url))
  const flags = ['-C', 'tokenfuse-source', `--max-old-space-size=${HEAP_MB}`]
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...flags,
    script,
    ...args.map(String),
  ])
  return JSON.parse(stdout) as Result
}
