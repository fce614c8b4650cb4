import type { Coverage, PointErrors, Summary } from './summary.ts'

const NAME_WIDTH = 44
const CELL_WIDTH = 9

/** The summary for people: lines of at most 100 characters. */
export function reportLines(summary: Summary): string[] {
  const { counts, points, cells, intervals, breaches, exhaustion } = summary
  return [
    `${counts.clients} clients (${counts.regularClients} regular), ${counts.fleets} fleets, ` +
      `${counts.days} days; ${counts.clientsWithoutLengths} clients without token lengths left out`,
    `${counts.rows} questions, ${counts.rowsWithInsufficientHistory} answered "insufficient history"`,
    '',
    'End-of-day tokens, errors at 25 / 50 / 75 % of the day, in %',
    ...pointLines('fleets, days 4 on: MAPE', points.fleets, 'mape'),
    ...pointLines('regular clients, days 8 on: median APE', points.regular, 'medianApe'),
    ...pointLines('regular clients, days 8 on: WAPE', points.regular, 'wape'),
    ...pointLines('sporadic clients, days 8 on: median APE', points.sporadic, 'medianApe'),
    ...pointLines('sporadic clients, days 8 on: WAPE', points.sporadic, 'wape'),
    '',
    'Ratio of errors to the baselines, mean of the first nine cells (wanted: at most 0.93 each)',
    ...Object.entries(cells.meanRatioTo).map(([method, ratio]) =>
      line(`  to ${METHOD_NAMES[method] ?? method}`, [fixed2(ratio)]),
    ),
    line('  worst cell to the best baseline (at most 1.25)', [
      cells.worstToBestBaseline.toFixed(2),
    ]),
    line('  fleets to linear pace (0.70, 0.75, 0.95)', cells.fleetsToLinear.map(fixed2)),
    '',
    '80 % intervals: share of ends inside, in % (n, * beyond two standard errors)',
    ...coverageLines('forecast, regular clients', intervals.forecast.regular),
    ...coverageLines('forecast, sporadic clients', intervals.forecast.sporadic),
    ...coverageLines('forecast, all clients', intervals.forecast.clients),
    ...coverageLines('forecast, fleets', intervals.forecast.fleets),
    ...coverageLines('adaptive on the median, regular clients', intervals.adaptiveMedian.regular),
    ...coverageLines('adaptive on the median, sporadic', intervals.adaptiveMedian.sporadic),
    '',
    'Breach of 1.2 x the mean of earlier days: precision/recall in %, and F1 of all three',
    ...breachLines('regular clients', breaches.regular),
    ...breachLines('all clients', breaches.clients),
    '',
    'Exhaustion clock on days that breach: mean error in hours (breaches not seen, in %)',
    ...clockLines('regular clients', exhaustion.regular),
    ...clockLines('all clients', exhaustion.clients),
  ]
}

const METHOD_NAMES: Readonly<Record<string, string>> = {
  forecast: 'forecast',
  forecastEven: 'forecast, alarm from 0.5',
  linear: 'linear pace',
  yesterday: "spent + yesterday's remainder",
  median: 'plain median of seven experts',
  lastHours3: 'rate of the last 3 hours',
}

/** Figures of nothing at all are no numbers. */
const digits = (value: number, count: number) =>
  Number.isFinite(value) ? value.toFixed(count) : '-'
const fixed2 = (value: number) => digits(value, 2)
const percent = (share: number) => digits(share * 100, 0)
const percent1 = (share: number) => digits(share * 100, 1)

function line(name: string, cells: readonly string[]): string {
  return name.padEnd(NAME_WIDTH) + cells.map((cell) => cell.padStart(CELL_WIDTH)).join('')
}

function pointLines(
  title: string,
  errors: PointErrors,
  measure: 'mape' | 'medianApe' | 'wape',
): string[] {
  return [
    line(
      title,
      errors.n.map((n) => `n=${n}`),
    ),
    ...Object.entries(errors[measure]).map(([method, shares]) =>
      line(`  ${METHOD_NAMES[method] ?? method}`, shares.map(percent1)),
    ),
  ]
}

function coverageLines(title: string, coverage: Coverage): string[] {
  return [
    line(
      title,
      coverage.coverage.map(
        (share, at) =>
          `${percent(share)}${coverage.isWithinTwo[at] ? '' : '*'} (${coverage.n[at]})`,
      ),
    ),
    line('  median width in mean days', coverage.width.map(fixed2)),
  ]
}

function breachLines(title: string, breaches: Summary['breaches']['regular']): string[] {
  return [
    line(
      title,
      breaches.n.map((n, at) => `${breaches.breaches[at]}/${n}`),
    ),
    ...Object.entries(breaches.methods).map(([method, { atFractions, pooled }]) =>
      line(`  ${METHOD_NAMES[method] ?? method}`, [
        ...atFractions.map(({ precision, recall }) => `${percent(precision)}/${percent(recall)}`),
        `F1 ${fixed2(pooled.f1)}`,
      ]),
    ),
  ]
}

function clockLines(title: string, clocks: Summary['exhaustion']['regular']): string[] {
  return [
    line(
      title,
      clocks.n.map((n) => `n=${n}`),
    ),
    ...Object.entries(clocks.methods).map(([method, { maeHours, unseen }]) =>
      line(
        `  ${METHOD_NAMES[method] ?? method}`,
        maeHours.map((hours, at) => `${digits(hours, 1)} (${percent(unseen[at] ?? 0)})`),
      ),
    ),
  ]
}
