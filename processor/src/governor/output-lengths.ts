import type { CallProfile, OutputQuantiles } from '@tokenfuse/protocol'
import { type CallScopes, SLOT } from './call-scopes.ts'
import type { Scope } from './scopes.ts'
import { NEW_ROW, type Row, type StateChange, type StateRecord, Table } from './table.ts'

/** Buckets of a quarter of an octave: a quantile read from them is at most a quarter above the true one. */
const BUCKETS_PER_OCTAVE = 4
const BUCKETS = 24 * BUCKETS_PER_OCTAVE
/** At this many calls all counts are halved, so that a change of habit shows within some hundred calls. */
const MEMORY_CALLS = 512
/** Fewer calls than this say nothing of a 95th percentile. */
const MIN_CALLS = 20
const MAX_PROFILES = 10_000
const SEPARATOR = '\u0000'

/** How often each length was seen, of calls that share some names. */
export type Lengths = Row & { count: number; readonly buckets: number[] }

/** Dimensions of a profile: of its own calls, and of all calls of the model. */
const PROFILE = [SLOT.provider, SLOT.model, SLOT.agent, SLOT.step]
const MODEL = [SLOT.provider, SLOT.model]

/** How long answers are, learned by agent, step and model, and by model alone for those with too few calls. */
export class OutputLengths {
  readonly #table = new Table<Lengths>('lengths', {
    encode: ({ order, count, buckets }) => ({ order, count, buckets }),
    decode: (json: Pick<Lengths, 'order' | 'count' | 'buckets'>, key: string) => ({
      ...json,
      key,
      ...NEW_ROW,
    }),
  })
  readonly #call: CallScopes
  readonly #profileNumber: number
  readonly #modelNumber: number
  readonly #nextOrder: () => number
  evicted = 0

  /** @param call loaded with each call before it is added */
  constructor(call: CallScopes, nextOrder: () => number) {
    this.#call = call
    this.#profileNumber = call.numberOf(PROFILE)
    this.#modelNumber = call.numberOf(MODEL)
    this.#nextOrder = nextOrder
  }

  get prefix(): string {
    return this.#table.prefix
  }

  /**
   * Adds the call that is loaded.
   * @param cutShort whether the answer ended at an output limit: it would have been longer, so it counts as twice
   *   as long, or lengths would be learned from the limits that they lead to
   */
  add(outputTokens: number, cutShort: boolean): void {
    const bucket = bucketOf(cutShort ? outputTokens * 2 : outputTokens)
    this.#addTo(this.#lengthsFor(this.#profileNumber, PROFILE.length), bucket)
    this.#addTo(this.#lengthsFor(this.#modelNumber, MODEL.length), bucket)
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

  #lengthsFor(number: number, dimensions: number): Lengths {
    const scope = this.#call.scopes[number] as Scope
    const known = scope.lengths
    if (known !== null && !known.isGone) return known
    const key = scope.names(dimensions).join(SEPARATOR)
    return (scope.lengths = this.#table.get(key) ?? this.#make(key))
  }

  #make(key: string): Lengths {
    const lengths: Lengths = { key, order: this.#nextOrder(), count: 0, buckets: [], ...NEW_ROW }
    this.#table.set(lengths)
    const oldest = this.#table.size > MAX_PROFILES ? this.#table.oldest() : undefined
    if (oldest !== undefined) {
      this.#table.delete(oldest)
      this.evicted++
    }
    return lengths
  }

  #addTo(lengths: Lengths, bucket: number): void {
    while (lengths.buckets.length <= bucket) lengths.buckets.push(0)
    lengths.buckets[bucket] = (lengths.buckets[bucket] ?? 0) + 1
    lengths.count++
    if (lengths.count >= MEMORY_CALLS) halve(lengths)
    this.#table.touch(lengths)
  }

  takeChanges(): StateChange[] {
    return this.#table.takeChanges()
  }

  restore(records: readonly StateRecord[]): void {
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
  [profile.provider, profile.model, profile.agent, profile.step].join(SEPARATOR)
const modelKey = (profile: CallProfile) => [profile.provider, profile.model].join(SEPARATOR)
