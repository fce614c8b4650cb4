import type { CallProfile, OutputQuantiles } from '@tokenfuse/protocol'
import { type Codec, type Row, type StateChange, Table } from './table.ts'

/** Buckets of a quarter of an octave: a quantile read from them is at most a quarter above the true one. */
const BUCKETS_PER_OCTAVE = 4
const BUCKETS = 24 * BUCKETS_PER_OCTAVE
/** At this many calls all counts are halved, so that a change of habit shows within some hundred calls. */
const MEMORY_CALLS = 512
/** Fewer calls than this say nothing of a 95th percentile. */
const MIN_CALLS = 20
const MAX_PROFILES = 10_000

type Lengths = Row & { count: number; readonly buckets: number[] }

const codec: Codec<Lengths> = { encode: (value) => value, decode: (json) => json as Lengths }

/** How long answers are, learned by agent, step and model, and by model alone for those with too few calls. */
export class OutputLengths {
  readonly #table = new Table<Lengths>('lengths', codec)
  readonly prefix = this.#table.prefix
  evicted = 0

  /**
   * @param cutShort whether the answer ended at an output limit: it would have been longer, so it counts as twice
   *   as long, or lengths would be learned from the limits that they lead to
   */
  add(profile: CallProfile, outputTokens: number, cutShort: boolean, offset: number): void {
    const bucket = bucketOf(cutShort ? outputTokens * 2 : outputTokens)
    this.#addTo(profileKey(profile), bucket, offset)
    this.#addTo(modelKey(profile), bucket, offset)
  }

  quantiles(profile: CallProfile): OutputQuantiles {
    const own = this.#table.get(profileKey(profile))
    const lengths = own && own.count >= MIN_CALLS ? own : this.#table.get(modelKey(profile))
    if (!lengths || lengths.count < MIN_CALLS) {
      return { ...profile, p95: null, p99: null, count: lengths?.count ?? 0 }
    }
    return {
      ...profile,
      p95: quantile(lengths, 0.95),
      p99: quantile(lengths, 0.99),
      count: lengths.count,
    }
  }

  #addTo(key: string, bucket: number, offset: number): void {
    let lengths = this.#table.get(key)
    if (!lengths) {
      lengths = { order: offset, count: 0, buckets: [] }
      this.#table.set(key, lengths)
      const oldest = this.#table.size > MAX_PROFILES ? this.#table.oldest() : undefined
      if (oldest !== undefined) {
        this.#table.delete(oldest)
        this.evicted++
      }
    }
    while (lengths.buckets.length <= bucket) lengths.buckets.push(0)
    lengths.buckets[bucket] = (lengths.buckets[bucket] ?? 0) + 1
    lengths.count++
    if (lengths.count >= MEMORY_CALLS) halve(lengths)
    this.#table.touch(key)
  }

  takeChanges(): StateChange[] {
    return this.#table.takeChanges()
  }

  restore(records: readonly (readonly [key: string, value: string])[]): void {
    this.#table.restore(records)
  }
}

function halve(lengths: Lengths): void {
  lengths.count = 0
  for (const [bucket, count] of lengths.buckets.entries()) {
    const half = Math.floor(count / 2)
    lengths.buckets[bucket] = half
    lengths.count += half
  }
}

/** The upper end of the bucket in which the quantile lies. */
function quantile(lengths: Lengths, share: number): number {
  let seen = 0
  for (const [bucket, count] of lengths.buckets.entries()) {
    seen += count
    if (seen >= lengths.count * share) return BUCKET_ENDS[bucket] ?? 0
  }
  return BUCKET_ENDS[lengths.buckets.length - 1] ?? 0
}

/** Upper ends of the buckets, rising: octaves in four equal steps. */
const BUCKET_ENDS: readonly number[] = Array.from({ length: BUCKETS }, (_, bucket) => {
  let octave = 8
  for (let step = BUCKETS_PER_OCTAVE; step <= bucket; step += BUCKETS_PER_OCTAVE) octave *= 2
  return octave + (octave / BUCKETS_PER_OCTAVE) * ((bucket % BUCKETS_PER_OCTAVE) + 1)
})

function bucketOf(tokens: number): number {
  let low = 0
  let high = BUCKETS - 1
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if ((BUCKET_ENDS[middle] ?? 0) < tokens) low = middle + 1
    else high = middle
  }
  return low
}

const profileKey = (profile: CallProfile) =>
  [profile.provider, profile.model, profile.agent, profile.step].join('\u0000')
const modelKey = (profile: CallProfile) => [profile.provider, profile.model].join('\u0000')
