import { BREACH_EXPECTED } from '../../../processor/src/governor/forecast/index.ts'
import { adaptiveIntervals } from './adaptive-intervals.ts'
import { CLOCKS, limitOf, trueClock } from './clocks.ts'
import { meanOf, medianOf, standardError } from './numbers.ts'
import { type Answer, FRACTIONS } from './replay.ts'
import type { Recording } from './series.ts'

/** Figures at 25, 50 and 75 % of the day. */
type AtFractions = readonly number[]
type ByMethod<Figure> = Readonly<Record<string, Figure>>

/** Days from which groups are scored: fleets have history from the fourth on, clients a week before the eighth. */
const FLEETS_FROM_DAY = 4
const CLIENTS_FROM_DAY = 8
const NOMINAL_COVERAGE = 0.8
const BASELINES = ['linear', 'yesterday', 'median'] as const

const METHODS: ByMethod<(answer: Answer) => number> = {
  forecast: ({ point }) => point ?? Number.NaN,
  linear: ({ linear }) => linear,
  yesterday: ({ baselines }) => baselines.yesterday,
  median: ({ baselines }) => baselines.median,
}

export type PointErrors = {
  /** Days with traffic; errors in percent are of those. */
  readonly n: AtFractions
  readonly mape: ByMethod<AtFractions>
  readonly medianApe: ByMethod<AtFractions>
  readonly smape: ByMethod<AtFractions>
  readonly wape: ByMethod<AtFractions>
}

export type Coverage = {
  readonly n: AtFractions
  readonly coverage: AtFractions
  readonly standardError: AtFractions
  readonly isWithinTwo: readonly boolean[]
  /** Medians, in mean days of the client. */
  readonly width: AtFractions
}

export type Groups<Figures> = {
  readonly fleets: Figures
  readonly regular: Figures
  readonly sporadic: Figures
}

export type Summary = ReturnType<typeof summarize>

/** The tables of the evaluation. Shares are 0 to 1. */
export function summarize(recording: Recording, answers: readonly Answer[]) {
  const known = answers.filter(({ point }) => point !== null)
  const clients = known.filter(({ client, day }) => client !== '*' && day >= CLIENTS_FROM_DAY)
  const groups: Groups<Answer[]> = {
    fleets: known.filter(({ client, day }) => client === '*' && day >= FLEETS_FROM_DAY),
    regular: clients.filter(({ regular }) => regular === true),
    sporadic: clients.filter(({ regular }) => regular === false),
  }
  const points = mapGroups(groups, pointErrors)
  const adaptive = adaptiveIntervals(
    known.filter(({ client }) => client !== '*'),
    CLIENTS_FROM_DAY,
  )
  const inGroup = (name: 'regular' | 'sporadic') =>
    coverageOf(groups[name], (answer) => adaptive.get(answer) ?? null)
  return {
    counts: countsOf(recording, answers),
    points,
    cells: cellsOf(points),
    intervals: {
      nominal: NOMINAL_COVERAGE,
      forecast: {
        ...mapGroups(groups, (group) => coverageOf(group, ownInterval)),
        clients: coverageOf(clients, ownInterval),
      },
      adaptiveMedian: { regular: inGroup('regular'), sporadic: inGroup('sporadic') },
    },
    breaches: { regular: breachesOf(groups.regular), clients: breachesOf(clients) },
    exhaustion: { regular: clocksOf(groups.regular), clients: clocksOf(clients) },
  }
}

function mapGroups<Figures>(
  groups: Groups<Answer[]>,
  figuresOf: (answers: Answer[]) => Figures,
): Groups<Figures> {
  return {
    fleets: figuresOf(groups.fleets),
    regular: figuresOf(groups.regular),
    sporadic: figuresOf(groups.sporadic),
  }
}

function countsOf(
  { days, series, withoutLengths, filledWindows }: Recording,
  answers: readonly Answer[],
) {
  const clients = series.filter(({ client }) => client !== '*')
  return {
    days,
    clients: clients.length,
    regularClients: clients.filter(({ isRegular }) => isRegular).length,
    fleets: series.length - clients.length,
    clientsWithoutLengths: withoutLengths,
    windowsWithFilledLengths: filledWindows,
    rows: answers.length,
    rowsWithInsufficientHistory: answers.filter(({ point }) => point === null).length,
  }
}

const atFractions = <Figure>(answers: readonly Answer[], figure: (part: Answer[]) => Figure) =>
  FRACTIONS.map((fraction) => figure(answers.filter((answer) => answer.fraction === fraction)))

function pointErrors(answers: readonly Answer[]): PointErrors {
  const active = answers.filter(({ actual }) => actual > 0)
  const each = (figure: (part: Answer[], value: (answer: Answer) => number) => number) =>
    Object.fromEntries(
      Object.entries(METHODS).map(([name, value]) => [
        name,
        atFractions(active, (part) => figure(part, value)),
      ]),
    )
  const miss = (answer: Answer, value: (answer: Answer) => number) =>
    Math.abs(value(answer) - answer.actual)
  const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0)
  return {
    n: atFractions(active, (part) => part.length),
    mape: each((part, value) => meanOf(part.map((one) => miss(one, value) / one.actual))),
    medianApe: each((part, value) => medianOf(part.map((one) => miss(one, value) / one.actual))),
    smape: each((part, value) =>
      meanOf(part.map((one) => (2 * miss(one, value)) / (one.actual + value(one)))),
    ),
    wape: wapeOf(answers, miss, total),
  }
}

/** Days without traffic count too: a forecast for them is an error. */
function wapeOf(
  answers: readonly Answer[],
  miss: (answer: Answer, value: (answer: Answer) => number) => number,
  total: (values: readonly number[]) => number,
): ByMethod<AtFractions> {
  return Object.fromEntries(
    Object.entries(METHODS).map(([name, value]) => [
      name,
      atFractions(
        answers,
        (part) =>
          total(part.map((one) => miss(one, value))) / total(part.map(({ actual }) => actual)),
      ),
    ]),
  )
}

/** The nine cells: fleets' MAPE, regular clients' median APE and WAPE, at three parts of the day each. */
function cellsOf({ fleets, regular }: Groups<PointErrors>) {
  const of = (method: string) => [
    ...(fleets.mape[method] ?? []),
    ...(regular.medianApe[method] ?? []),
    ...(regular.wape[method] ?? []),
  ]
  const forecast = of('forecast')
  const best = forecast.map((_, cell) =>
    Math.min(...BASELINES.map((method) => of(method)[cell] ?? Number.NaN)),
  )
  const ratios = (to: readonly number[]) =>
    forecast.map((error, cell) => error / (to[cell] ?? Number.NaN))
  return {
    ratioTo: Object.fromEntries(BASELINES.map((method) => [method, ratios(of(method))])),
    meanRatioTo: Object.fromEntries(
      BASELINES.map((method) => [method, meanOf(ratios(of(method)))]),
    ),
    worstToBestBaseline: Math.max(...ratios(best)),
    fleetsToLinear: ratios(of('linear')).slice(0, FRACTIONS.length),
  }
}

type Interval = { readonly lower: number; readonly upper: number }

function ownInterval({ lower, upper }: Answer): Interval | null {
  return lower === null || upper === null ? null : { lower, upper }
}

function coverageOf(
  answers: readonly Answer[],
  intervalOf: (answer: Answer) => Interval | null,
): Coverage {
  const figures = atFractions(answers, (part) => {
    const given = part.flatMap((answer) => {
      const interval = intervalOf(answer)
      return interval ? [{ answer, ...interval }] : []
    })
    const inside = given.filter(
      ({ answer, lower, upper }) => answer.actual >= lower && answer.actual <= upper,
    )
    const coverage = inside.length / given.length
    const error = standardError(NOMINAL_COVERAGE, given.length)
    return {
      n: given.length,
      coverage,
      error,
      isWithinTwo: Math.abs(coverage - NOMINAL_COVERAGE) <= 2 * error,
      width: medianOf(given.map(({ answer, lower, upper }) => (upper - lower) / answer.meanDay)),
    }
  })
  return {
    n: figures.map(({ n }) => n),
    coverage: figures.map(({ coverage }) => coverage),
    standardError: figures.map(({ error }) => error),
    isWithinTwo: figures.map(({ isWithinTwo }) => isWithinTwo),
    width: figures.map(({ width }) => width),
  }
}

/** Probabilities from which on a breach counts as foretold: as the governor does it, and even. */
const ALARMS = { forecast: BREACH_EXPECTED, forecastEven: 0.5 } as const

function breachesOf(answers: readonly Answer[]) {
  const open = answers.filter((answer) => answer.spent <= limitOf(answer))
  const isBreach = (answer: Answer) => answer.actual > limitOf(answer)
  const foretell: Record<string, (answer: Answer) => boolean> = {}
  for (const [name, from] of Object.entries(ALARMS)) {
    foretell[name] = ({ breach }) => (breach ?? 0) >= from
  }
  for (const method of BASELINES) {
    foretell[method] = (answer) => (METHODS[method]?.(answer) ?? 0) > limitOf(answer)
  }
  return {
    n: atFractions(open, (part) => part.length),
    breaches: atFractions(open, (part) => part.filter(isBreach).length),
    methods: Object.fromEntries(
      Object.entries(foretell).map(([name, isForetold]) => {
        const score = (part: readonly Answer[]) => {
          const right = part.filter((one) => isForetold(one) && isBreach(one)).length
          const told = part.filter(isForetold).length
          const came = part.filter(isBreach).length
          return {
            precision: right / told,
            recall: right / came,
            f1: (2 * right) / (told + came),
          }
        }
        return [name, { atFractions: atFractions(open, score), pooled: score(open) }]
      }),
    ),
    brier: meanOf(open.map((one) => ((one.breach ?? 0) - Number(isBreach(one))) ** 2)),
  }
}

/** Hours of error of the exhaustion clock, on days that do breach; no time told counts as the end of the day. */
function clocksOf(answers: readonly Answer[]) {
  const breaching = answers.filter(
    (answer) => answer.spent <= limitOf(answer) && answer.actual > limitOf(answer),
  )
  return {
    n: atFractions(breaching, (part) => part.length),
    methods: Object.fromEntries(
      Object.entries(CLOCKS).map(([name, clock]) => [
        name,
        {
          maeHours: atFractions(breaching, (part) =>
            meanOf(part.map((one) => Math.abs((clock(one) ?? 24) - (trueClock(one) ?? 24)))),
          ),
          unseen: atFractions(
            breaching,
            (part) => part.filter((one) => clock(one) === null).length / part.length,
          ),
        },
      ]),
    ),
  }
}
