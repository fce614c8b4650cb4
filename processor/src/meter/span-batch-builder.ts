import { GIVEN_BY_RESOURCE, MARKS_CALL, TAG_NAME_KEY } from './attribute-table.ts'
import {
  type AttributeRuns,
  type AttributeValue,
  ID_PARTS,
  ID_WORDS,
  type IdPart,
  type SpanBatch,
} from './span-batch.ts'

const NANOS_PER_MS = 1e6
const TWO_TO_32 = 0x1_0000_0000
const FEWEST_ATTRIBUTES = 64
/** About how much of a payload there is for each attribute that is read. */
const BYTES_PER_ATTRIBUTE = 64
const FIRST_SPANS = 64
const WORD_BYTES = 4

class Runs {
  readonly values: AttributeValue[] = []
  readonly ends: number[] = []
  #keys: Uint8Array
  #length = 0

  constructor(capacity: number) {
    this.#keys = new Uint8Array(capacity)
    this.values.length = capacity
  }

  add(key: number, value: AttributeValue): void {
    const at = this.#length++
    if (at === this.#keys.length) {
      const longer = new Uint8Array(at * 2)
      longer.set(this.#keys)
      this.#keys = longer
    }
    this.#keys[at] = key
    this.values[at] = value
  }

  keep(): void {
    this.ends.push(this.#length)
  }

  /** Forgets what came since the last `keep`. */
  drop(): void {
    this.#length = this.ends.at(-1) ?? 0
  }

  get empty(): boolean {
    return this.#length === (this.ends.at(-1) ?? 0)
  }

  finish(): AttributeRuns {
    this.values.length = this.#length
    return { keys: this.#keys.subarray(0, this.#length), values: this.values, ends: this.ends }
  }
}

/**
 * Fills a batch span by span. A span is kept only if one of its attributes speaks of a model, so the batch never
 * grows far beyond the bytes that it is read from, whatever those are.
 */
export class SpanBatchBuilder {
  readonly #attributes: Runs
  readonly #resourceAttributes = new Runs(FEWEST_ATTRIBUTES)
  readonly #resources: number[] = []
  readonly #startTimesMs: number[] = []
  readonly #durationsMs: number[] = []
  readonly #failed: boolean[] = []
  readonly #faults = new Map<number, string>()
  #ids = new Int32Array(FIRST_SPANS * ID_WORDS)
  #count = 0
  #otherSpans = 0
  #resourceCount = 0
  #resourceFirstSpan = 0

  // The span being read.
  #marked = false
  readonly #idLengths: Record<IdPart, number> = { trace: 0, span: 0, parent: 0 }
  #startHigh = 0
  #startLow = 0
  #endHigh = 0
  #endLow = 0
  #hasFailed = false

  /** @param bytes length of the payload, from which the room needed is guessed; it grows where that is too little */
  constructor(bytes: number) {
    const guess = Math.floor(bytes / BYTES_PER_ATTRIBUTE)
    this.#attributes = new Runs(Math.max(FEWEST_ATTRIBUTES, guess))
  }

  endResource(): void {
    if (this.#resourceAttributes.empty && this.#count === this.#resourceFirstSpan) return
    this.#resourceAttributes.keep()
    this.#resourceCount++
    this.#resourceFirstSpan = this.#count
  }

  addResourceAttribute(key: number, value: AttributeValue): void {
    if (key >= TAG_NAME_KEY || GIVEN_BY_RESOURCE[key]) this.#resourceAttributes.add(key, value)
  }

  beginSpan(): void {
    if ((this.#count + 1) * ID_WORDS > this.#ids.length) this.#growIds()
    this.#marked = false
    this.#idLengths.trace = this.#idLengths.span = this.#idLengths.parent = 0
    this.#startHigh = this.#startLow = this.#endHigh = this.#endLow = 0
    this.#hasFailed = false
  }

  #growIds(): void {
    const larger = new Int32Array(this.#ids.length * 2)
    larger.set(this.#ids)
    this.#ids = larger
  }

  /** Takes an id from bytes; none at all means that there is no id. Of several the last holds, right or wrong. */
  setId(part: IdPart, bytes: DataView, start: number, end: number): void {
    const { from, words } = ID_PARTS[part]
    const to = this.#count * ID_WORDS + from
    const length = end - start
    this.#idLengths[part] = length
    if (length !== words * WORD_BYTES) {
      this.#ids.fill(0, to, to + words)
      return
    }
    for (let i = 0; i < words; i++) this.#ids[to + i] = bytes.getInt32(start + i * WORD_BYTES)
  }

  /** Nanoseconds since 1970, in halves of 32 bits. */
  setStart(high: number, low: number): void {
    this.#startHigh = high
    this.#startLow = low
  }

  setEnd(high: number, low: number): void {
    this.#endHigh = high
    this.#endLow = low
  }

  setFailed(failed: boolean): void {
    this.#hasFailed = failed
  }

  addAttribute(key: number, value: AttributeValue): void {
    if (!this.#marked && MARKS_CALL[key]) this.#marked = true
    this.#attributes.add(key, value)
  }

  /** Something else is wrong with the span. */
  addFault(message: string): void {
    if (!this.#faults.has(this.#count)) this.#faults.set(this.#count, message)
  }

  endSpan(): void {
    if (!this.#marked) {
      this.#otherSpans++
      this.#attributes.drop()
      this.#faults.delete(this.#count)
      this.#ids.fill(0, this.#count * ID_WORDS, (this.#count + 1) * ID_WORDS)
      return
    }
    this.#checkId('trace')
    this.#checkId('span')
    this.#checkId('parent')
    const nanos = (this.#endHigh - this.#startHigh) * TWO_TO_32 + (this.#endLow - this.#startLow)
    this.#startTimesMs.push(wholeMs(this.#startHigh, this.#startLow))
    this.#durationsMs.push(nanos / NANOS_PER_MS)
    this.#failed.push(this.#hasFailed)
    this.#resources.push(this.#resourceCount)
    this.#attributes.keep()
    this.#count++
  }

  #checkId(part: IdPart): void {
    const { name, words } = ID_PARTS[part]
    const length = this.#idLengths[part]
    if (length === words * WORD_BYTES || length === 0) return
    this.addFault(`its ${name} has ${length} bytes instead of ${words * WORD_BYTES}`)
  }

  finish(): SpanBatch {
    return {
      count: this.#count,
      otherSpans: this.#otherSpans,
      ids: this.#ids.subarray(0, this.#count * ID_WORDS),
      startTimesMs: this.#startTimesMs,
      durationsMs: this.#durationsMs,
      failed: this.#failed,
      attributes: this.#attributes.finish(),
      resources: this.#resources,
      resourceAttributes: this.#resourceAttributes.finish(),
      faults: this.#faults,
    }
  }
}

/**
 * Nanoseconds as whole ms, without rounding on the way: as one number they would lose their last eight bits and could
 * fall into the ms before. 2^32 ns are 4,294 ms and 967,296 ns.
 */
function wholeMs(high: number, low: number): number {
  return high * 4294 + Math.floor((high * 967_296 + low) / NANOS_PER_MS)
}
