import { NEW_ROW, type Row, type StateChange, type StateRecord, Table } from '../table.ts'
import { addTo, emptySketch, halve, quantile, type Sketch } from './sketch.ts'
import { addDays, addPeak, noPeers, type SpikePeers } from './spike-peers.ts'

/** Of its recent hours, from how many on a scope counts as always busy, and as often busy. */
const ALWAYS = 0.9
const OFTEN = 0.4
/** Highest hours of days that say what is usual among scopes. */
const MIN_TOPS = 100
const MEMORY_TOPS = 4096
const SEPARATOR = '\u0000'

type PeersRow = Row & { readonly peers: SpikePeers }
type TopsRow = Row & { readonly tops: Sketch }

/** What scopes of the same dimension have in common: by how often they are busy, and all of them. */
export class SpikePeerTable {
  readonly #peers = new Table<PeersRow>('spike-peers', {
    encode: ({ order, peers }) => ({ order, peers }),
    decode: (json: Pick<PeersRow, 'order' | 'peers'>, key: string) => ({
      ...json,
      key,
      ...NEW_ROW,
    }),
  })
  readonly #tops = new Table<TopsRow>('spike-tops', {
    encode: ({ order, tops }) => ({ order, tops }),
    decode: (json: Pick<TopsRow, 'order' | 'tops'>, key: string) => ({ ...json, key, ...NEW_ROW }),
  })

  of(dimension: string, activity: number): SpikePeers {
    return this.#rowOf(dimension, activity).peers
  }

  addPeak(dimension: string, activity: number, score: number): void {
    const row = this.#rowOf(dimension, activity)
    addPeak(row.peers, score)
    this.#peers.touch(row)
  }

  /** @param top the highest recent sum of an hour */
  addDays(dimension: string, activity: number, days: number, top: number): void {
    const row = this.#rowOf(dimension, activity)
    addDays(row.peers, days)
    this.#peers.touch(row)
    const tops = this.#topsOf(dimension)
    addTo(tops.tops, top)
    if (tops.tops.total >= MEMORY_TOPS) halve(tops.tops)
    this.#tops.touch(tops)
  }

  /** The highest recent hour of a scope, which nineteen in twenty stay below; `null` where too few are known. */
  highestUsual(dimension: string): number | null {
    const row = this.#tops.get(dimension)
    if (!row || row.tops.total < MIN_TOPS) return null
    const top = quantile(row.tops, 0.95)
    return top === null ? null : Math.round(top)
  }

  #rowOf(dimension: string, activity: number): PeersRow {
    const sort = activity >= ALWAYS ? 'always' : activity >= OFTEN ? 'often' : 'seldom'
    const key = `${dimension}${SEPARATOR}${sort}`
    const known = this.#peers.get(key)
    if (known) return known
    const row: PeersRow = { key, order: this.#peers.size, peers: noPeers(), ...NEW_ROW }
    this.#peers.set(row)
    return row
  }

  #topsOf(dimension: string): TopsRow {
    const known = this.#tops.get(dimension)
    if (known) return known
    const row = { key: dimension, order: this.#tops.size, tops: emptySketch(), ...NEW_ROW }
    this.#tops.set(row)
    return row
  }

  takeChanges(): StateChange[] {
    return [...this.#peers.takeChanges(), ...this.#tops.takeChanges()]
  }

  restore(of: (prefix: string) => readonly StateRecord[]): void {
    this.#peers.restore(of(this.#peers.prefix))
    this.#tops.restore(of(this.#tops.prefix))
  }
}
