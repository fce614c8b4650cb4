import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Kind, Level } from '../../../processor/src/governor/detect/levels.ts'
import { reportLines } from './print.ts'
import { readRuns, type RecordedRun, TOKEN_SCALES, tokensThrough } from './recording.ts'
import { type Alarm, replay } from './replay.ts'
import { summarize } from './summary.ts'

/**
 * A run's first alarm at a level. A run has a row for each level that it reached or leapt over, mildest first, or one
 * without a level where it had no alarm.
 */
export type RunawayRow = {
  readonly run: string
  readonly level: Level | null
  readonly kind: Kind | null
  /** Calls up to the alarm. */
  readonly step: number | null
  readonly tokensAtAlarm: number | null
  readonly tokensFinal: number
  readonly capped: boolean
  readonly resolved: boolean
}

const DEFAULT_ORDERS = 5

/**
 * Replays recorded runs through the governor's runaway detector and scores its alarms.
 * Relative paths are relative to the folder that npm was called in.
 */
export const runawayCommand = {
  usage:
    'npm run evaluate -- runaway --runs FILE.csv --steps FILE.csv.gz [--tokens scaled|chars] ' +
    '[--orders N] [--json]',

  /** @throws {Error} where an option is missing or wrong, or a file cannot be read */
  run(args: string[]): string {
    const { values } = parseArgs({
      args,
      options: {
        runs: { type: 'string' },
        steps: { type: 'string' },
        tokens: { type: 'string', default: 'scaled' },
        orders: { type: 'string', default: String(DEFAULT_ORDERS) },
        json: { type: 'boolean', default: false },
      },
    })
    if (values.runs === undefined || values.steps === undefined) {
      throw new Error('--runs and --steps are both needed')
    }
    const scale = TOKEN_SCALES.find((each) => each === values.tokens)
    if (scale === undefined) throw new Error(`--tokens is one of ${TOKEN_SCALES.join(', ')}`)
    const orders = Number(values.orders)
    if (!Number.isInteger(orders) || orders < 0) throw new Error('--orders is a whole number')
    const runs = readRuns(fromCaller(values.runs), fromCaller(values.steps))
    const alarms = replay(runs, scale)
    const summary = summarize(runs, alarms, orders)
    if (!values.json) return reportLines(summary).join('\n')
    return JSON.stringify({
      rows: runs.flatMap((run, at) => rowsOf(run, alarms[at] ?? [])),
      summary,
    })
  },
}

const fromCaller = (path: string) => resolve(process.env['INIT_CWD'] ?? process.cwd(), path)

function rowsOf(run: RecordedRun, alarms: readonly Alarm[]): RunawayRow[] {
  const { tokensFinal, capped, resolved } = run
  const of = { tokensFinal, capped, resolved }
  if (alarms.length === 0) {
    return [{ run: run.run, level: null, kind: null, step: null, tokensAtAlarm: null, ...of }]
  }
  return alarms.map(({ level, kind, step }) => ({
    run: run.run,
    level,
    kind,
    step,
    tokensAtAlarm: tokensThrough(run, step),
    ...of,
  }))
}
