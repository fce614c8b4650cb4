import { seededRandom } from '../../support/random.ts'
import { type Series, WINDOWS_PER_DAY } from '../forecast/series.ts'

/** How often a client is busy: in 90 % of the hours of days 1 to 7 and more, in 40 % and more, or less. */
export const KINDS = ['regular', 'semi-active', 'sporadic'] as const
export type Kind = (typeof KINDS)[number]

export type Client = {
  readonly name: string
  readonly kind: Kind
  readonly tokens: Float64Array
  /** Mean of its windows with traffic. */
  readonly activeMean: number
}

/** From when on alarms count; limits of the rules held against are set on the days before. Days count from 0. */
export const TUNED_FROM_DAY = 4
export const TESTED_FROM_DAY = 7
const HOURS_OF_KIND = 7 * 24
const WINDOWS_PER_HOUR = 6
/** A runaway that is added lasts six hours. */
export const RUNAWAY_WINDOWS = 36
export const FACTORS = [3, 5, 10] as const
export type Factor = (typeof FACTORS)[number]

/** A runaway that is added to a client's traffic: `factor` - 1 active means in each window. */
export type Runaway = { readonly client: Client; readonly factor: Factor; readonly from: number }

export function clientsOf(series: readonly Series[]): Client[] {
  return series
    .filter(({ client }) => client !== '*')
    .map(({ client, model, tokens }) => {
      const busy = tokens.filter((amount) => amount > 0)
      const sum = busy.reduce((total, amount) => total + amount, 0)
      const activeMean = busy.length > 0 ? sum / busy.length : 0
      return { name: `${model}/${client}`, kind: kindOf(tokens), tokens, activeMean }
    })
}

function kindOf(tokens: Float64Array): Kind {
  let active = 0
  for (let hour = 0; hour < HOURS_OF_KIND; hour++) {
    const from = hour * WINDOWS_PER_HOUR
    if (tokens.subarray(from, from + WINDOWS_PER_HOUR).some((amount) => amount > 0)) active++
  }
  const share = active / HOURS_OF_KIND
  return share >= 0.9 ? 'regular' : share >= 0.4 ? 'semi-active' : 'sporadic'
}

/** Runaways at random times of the tested days, the same times for each factor. */
export function runawaysFor(
  clients: readonly Client[],
  perClient: number,
  seed: number,
): Runaway[] {
  const random = seededRandom(seed)
  return clients.flatMap((client) => {
    const first = TESTED_FROM_DAY * WINDOWS_PER_DAY
    const last = client.tokens.length - RUNAWAY_WINDOWS
    return Array.from({ length: perClient }, () => {
      const from = first + Math.floor(random() * Math.max(1, last - first))
      return FACTORS.map((factor) => ({ client, factor, from }))
    }).flat()
  })
}

/** A client's traffic with a runaway in it. */
export function withRunaway({ client, factor, from }: Runaway): Float64Array {
  const tokens = Float64Array.from(client.tokens)
  for (let at = from; at < from + RUNAWAY_WINDOWS; at++) {
    tokens[at] = (tokens[at] ?? 0) + Math.round((factor - 1) * client.activeMean)
  }
  return tokens
}
