/** A value that no attribute of ours has; `kind` says what came instead. */
export type OtherValue = { readonly other: 'kvlist' | 'bytes' | 'text' }

/**
 * What an attribute holds: `null` where the sender set none, a bigint only beyond the exact integers of a number, an
 * array for the strings of an OTLP array.
 */
export type AttributeValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly string[]
  | OtherValue

export const KVLIST_VALUE: OtherValue = Object.freeze({ other: 'kvlist' })
export const BYTES_VALUE: OtherValue = Object.freeze({ other: 'bytes' })
/** JSON that is no number where one must be. */
export const TEXT_VALUE: OtherValue = Object.freeze({ other: 'text' })

/** Attributes of many owners in a row. Those of owner i stand between `ends[i - 1]`, or 0, and `ends[i]`. */
export type AttributeRuns = {
  /** As in `ATTRIBUTE_NAMES`. A key may come more than once; the last holds. */
  readonly keys: Uint8Array
  readonly values: readonly AttributeValue[]
  readonly ends: readonly number[]
}

/** Words of four bytes, the first byte highest, of one span's ids in `ids`; zeros where there is no id. */
export const ID_WORDS = 8
export const ID_PARTS = {
  trace: { name: 'trace id', from: 0, words: 4 },
  span: { name: 'span id', from: 4, words: 2 },
  parent: { name: 'parent span id', from: 6, words: 2 },
} as const
export type IdPart = keyof typeof ID_PARTS

/** Spans in columns, as far as the meter reads them: no object for a span, none for an attribute. */
export type SpanBatch = {
  readonly count: number
  /** Spans left out because nothing in them speaks of a model. */
  readonly otherSpans: number
  readonly ids: Int32Array
  /** Whole ms since 1970; 0 where the sender set none. */
  readonly startTimesMs: readonly number[]
  /** ms with a fraction, negative where a span ends before it starts. */
  readonly durationsMs: readonly number[]
  /** Whether the span's status is an error. */
  readonly failed: readonly boolean[]
  readonly attributes: AttributeRuns
  /** Index of each span's resource. */
  readonly resources: readonly number[]
  readonly resourceAttributes: AttributeRuns
  /** By span, what is wrong with it that the columns cannot show; the first fault of each. */
  readonly faults: ReadonlyMap<number, string>
}
