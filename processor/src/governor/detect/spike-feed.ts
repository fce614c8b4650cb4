import {
  NEW_ROW,
  plainCodec,
  type Row,
  type StateChange,
  type StateRecord,
  Table,
} from '../table.ts'
import type { SpikeDetection, SpikeDetector } from './spike-detector.ts'
import { WINDOW_MS } from './spike-scope.ts'

const MINUTE_MS = 60_000
const SEPARATOR = '\u0000'
/** Scopes that have used something in one minute; with more, the minute ends early. */
const MAX_ROWS = 20_000

/** What a scope used in the minute that runs. */
export type FeedRow = Row & {
  readonly dimension: string
  readonly name: string
  /** The detector's window in which it counts. */
  readonly window: number
  /** The minute of log time. */
  readonly minute: number
  tokens: number
}

/**
 * Gathers what scopes use and hands it to the detector once a minute: a spike is told of a minute later at most, and a
 * call costs an addition. State, so that a minute may be cut by a snapshot.
 */
export class SpikeFeed {
  readonly #rows = new Table<FeedRow>('spike-feed', plainCodec())
  readonly #detector: SpikeDetector
  readonly #nextOrder: () => number
  #minute = -1

  constructor(detector: SpikeDetector, nextOrder: () => number) {
    this.#detector = detector
    this.#nextOrder = nextOrder
  }

  get prefix(): string {
    return this.#rows.prefix
  }

  /** Hands over what belongs to earlier minutes. */
  advance(logTimeMs: number): SpikeDetection[] {
    const minute = Math.floor(logTimeMs / MINUTE_MS)
    if (minute <= this.#minute) return NOTHING
    this.#minute = minute
    return this.#handOver()
  }

  #handOver(): SpikeDetection[] {
    if (this.#rows.size === 0) return NOTHING
    const found: SpikeDetection[] = []
    for (const row of [...this.#rows.values()]) found.push(...this.#handOverRow(row))
    return found
  }

  #handOverRow(row: FeedRow): SpikeDetection[] {
    this.#rows.delete(row)
    return this.#detector.observe(row.dimension, row.name, row.window * WINDOW_MS, row.tokens)
  }

  /**
   * Adds what a call used; call `advance` before.
   * @param known what it gave for the last call of the scope, or `null`
   * @param timeMs at which the call was admitted
   * @returns the row that it counts in; `null` where the detector has no room for the scope
   */
  add(
    known: FeedRow | null,
    scope: { readonly dimension: string; readonly name: string },
    timeMs: number,
    tokens: number,
    found: SpikeDetection[],
  ): FeedRow | null {
    const window = Math.floor(timeMs / WINDOW_MS)
    let row = known && !known.isGone ? known : this.#rows.get(keyOf(scope))
    if (row && row.window !== window) {
      found.push(...this.#handOverRow(row))
      row = undefined
    }
    if (row) {
      row.tokens += tokens
      this.#rows.touch(row)
      return row
    }
    if (this.#rows.size >= MAX_ROWS) found.push(...this.#handOver())
    const { dimension, name } = scope
    if (!this.#detector.hasRoomFor(dimension, name, timeMs)) return null
    const minute = this.#minute
    const order = this.#nextOrder()
    row = { key: keyOf(scope), order, dimension, name, window, minute, tokens, ...NEW_ROW }
    this.#rows.set(row)
    return row
  }

  /** Log time from which on `advance` would do something; infinite for never. */
  dueMs(): number {
    return this.#rows.size > 0 ? (this.#minute + 1) * MINUTE_MS : Infinity
  }

  takeChanges(): StateChange[] {
    return this.#rows.takeChanges()
  }

  /** @param logTimeMs of the snapshot */
  restore(records: readonly StateRecord[]): void {
    this.#rows.restore(records)
    this.#minute = this.#rows.oldest()?.minute ?? -1
  }
}

const NOTHING: SpikeDetection[] = []

const keyOf = ({ dimension, name }: { readonly dimension: string; readonly name: string }) =>
  dimension + SEPARATOR + name
