import { SpikeDetector } from '../../../processor/src/governor/detect/spike-detector.ts'
import { WINDOWS_PER_DAY } from '../forecast/series.ts'
import {
  type Client,
  type Runaway,
  RUNAWAY_WINDOWS,
  TESTED_FROM_DAY,
  withRunaway,
} from './traffic.ts'

const WINDOW_MS = 600_000
const DIMENSION = 'agent'
/** A Monday. */
const START_MS = 20_458 * WINDOWS_PER_DAY * WINDOW_MS

export type Replayed = {
  /** Alarm episodes of each client in the tested days. */
  readonly episodes: ReadonlyMap<Client, number>
  /** Minutes until each runaway was found, in the order given; `null` where it was not within its time. */
  readonly delays: readonly (number | null)[]
}

/**
 * All clients side by side through the detector of production, window by window, each one told of once a window. A
 * runaway runs in a copy of the detector as it was when it began, and nothing is learned from it.
 */
export function replay(clients: readonly Client[], runaways: readonly Runaway[]): Replayed {
  const detector = new SpikeDetector()
  const episodes = new Map(clients.map((client) => [client, 0]))
  const delays = new Map<Runaway, number | null>()
  const state = new Map<string, string>()
  const windows = clients[0]?.tokens.length ?? 0
  const byStart = Map.groupBy(runaways, ({ from }) => from)
  for (let at = 0; at < windows; at++) {
    const starting = byStart.get(at) ?? []
    if (starting.length > 0) keep(state, detector)
    for (const runaway of starting) delays.set(runaway, delayOf(state, runaway))
    for (const client of clients) {
      const began = tell(detector, client, client.tokens, at)
      if (began && at >= TESTED_FROM_DAY * WINDOWS_PER_DAY) {
        episodes.set(client, (episodes.get(client) ?? 0) + 1)
      }
    }
    detector.advance(START_MS + (at + 1) * WINDOW_MS)
  }
  return { episodes, delays: runaways.map((runaway) => delays.get(runaway) ?? null) }
}

function keep(state: Map<string, string>, detector: SpikeDetector): void {
  for (const { key, value } of detector.takeChanges()) {
    if (value === null) state.delete(key)
    else state.set(key, value)
  }
}

/** @returns whether an alarm began */
function tell(
  detector: SpikeDetector,
  { name }: Client,
  tokens: Float64Array,
  at: number,
): boolean {
  const amount = tokens[at] ?? 0
  if (amount === 0) return false
  const timeMs = START_MS + at * WINDOW_MS + WINDOW_MS / 2
  return detector
    .observe(DIMENSION, name, timeMs, amount)
    .some((detection) => detection.state === 'began')
}

function delayOf(state: ReadonlyMap<string, string>, runaway: Runaway): number | null {
  const { client, from } = runaway
  const detector = new SpikeDetector()
  const records = [...state].filter(
    ([key]) => !key.startsWith('spike-scope/') || key.endsWith(`\u0000${client.name}`),
  )
  detector.restore((prefix) => records.filter(([key]) => key.startsWith(prefix)))
  // What is found already needs no finding.
  if (detector.alarms().length > 0) return WINDOW_MS / 60_000
  const tokens = withRunaway(runaway)
  for (let at = from; at < from + RUNAWAY_WINDOWS; at++) {
    if (tell(detector, client, tokens, at)) return ((at - from + 1) * WINDOW_MS) / 60_000
    detector.advance(START_MS + (at + 1) * WINDOW_MS)
  }
  return null
}
