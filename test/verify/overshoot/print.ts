import { formatAmount } from './amounts.ts'
import type { OvershootReport } from './run.ts'
import type { Row } from './run-variant.ts'

type Column = readonly [title: string, width: number, cell: (figures: Row['figures']) => string]

const COLUMNS: readonly Column[] = [
  ['limit', 12, ({ limit, unit }) => formatAmount(limit, unit)],
  ['calls', 7, ({ limitInMeanCalls }) => limitInMeanCalls.toFixed(0)],
  ['offered', 9, ({ offeredRatio }) => `${offeredRatio.toFixed(1)} x`],
  ['at once', 9, ({ inFlightMax }) => String(inFlightMax)],
  ['billed', 10, ({ billedRatio }) => percent(billedRatio)],
  ['beyond', 8, ({ outputBeyondBound }) => String(outputBeyondBound)],
  ['held', 7, ({ held, limit }) => (held === 0n ? '' : percent(Number(held) / Number(limit)))],
  ['truncated', 11, ({ truncated }) => String(truncated)],
  ['refused', 9, ({ refused }) => String(refused)],
  ['too early', 11, ({ refusedTooEarly }) => String(refusedTooEarly)],
  ['from', 9, ({ leastTakenRatio }) => (leastTakenRatio === null ? '' : percent(leastTakenRatio))],
  ['slowest', 9, ({ longestWaitMs }) => `${(longestWaitMs / 1000).toFixed(1)} s`],
]
const LEGEND = [
  'calls: the limit in calls as offered. at once: most calls in flight. billed: by the stand-in, of the limit.',
  'beyond: output tokens over the limit on the wire. held: credit of a killed agent until it is settled, of the limit.',
  'truncated: answers that ended at a limit lowered by the guard. too early: refused while spent, in flight at its',
  'final cost, and held were below 98 % of the limit; from: the least that they were at a refusal. slowest: the longest',
  'that a caller waited for an answer or a refusal.',
]

/** The report as a table for people, and in words what is wrong. */
export function overshootLines({ rows, seconds }: OvershootReport): string[] {
  const width = Math.max(...rows.map(({ variant }) => variant.name.length))
  const line = (name: string, cells: readonly string[]) =>
    name.padEnd(width) +
    COLUMNS.map(([, wide], index) => (cells[index] ?? '').padStart(wide)).join('')
  const titles = COLUMNS.map(([title]) => title)
  const faults = rows.flatMap(({ variant, problems, broken }) =>
    [...problems, ...broken].map((what) => `  ${variant.name}: ${what}`),
  )
  return [
    line('', titles),
    ...rows.map(({ variant, figures }) =>
      line(
        variant.name,
        COLUMNS.map(([, , cell]) => cell(figures)),
      ),
    ),
    '',
    ...LEGEND,
    '',
    ...(faults.length === 0
      ? [`tokenfuse kept every promise (${seconds.toFixed(0)} s).`]
      : [`${faults.length} FAULTS:`, ...faults]),
  ]
}

const percent = (ratio: number) => `${(ratio * 100).toFixed(1)} %`
