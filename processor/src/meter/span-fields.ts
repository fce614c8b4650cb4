import { MAX_TOKENS_PER_CALL } from '@tokenfuse/protocol'
import {
  ATTRIBUTE_NAMES,
  FIELD,
  type FieldName,
  TAG_NAME_KEY,
  TAG_VALUE_KEY,
} from './attribute-table.ts'
import { FieldSlots } from './field-slots.ts'
import { boundedName, MAX_TAG_LENGTH } from './names.ts'
import type { AttributeRuns, AttributeValue, SpanBatch } from './span-batch.ts'

export const MAX_TAGS = 16
/** How much of a list of tool keys is kept, from its end, where a loop shows. */
export const MAX_KEYS = 64

/** What was cut down to its bound, by how often. */
export type Shortened = { names: number; tags: number; keys: number }

/**
 * The fields of one span at a time: whatever dialect it was written in, the last and best word for each field. Made
 * once for a batch and loaded for span after span. What a resource says is worked out once for all its spans, so that
 * no span costs more than its own bytes.
 */
export class SpanFields {
  readonly shortened: Shortened = { names: 0, tags: 0, keys: 0 }
  readonly #batch: SpanBatch
  readonly #resource = new FieldSlots()
  readonly #span = new FieldSlots()
  #resourceIndex = -1

  constructor(batch: SpanBatch) {
    this.#batch = batch
  }

  load(span: number): void {
    const resource = this.#batch.resources[span] as number
    if (resource !== this.#resourceIndex) {
      this.#resourceIndex = resource
      this.#resource.clear()
      this.#read(this.#resource, this.#batch.resourceAttributes, resource)
      this.#resource.updateTexts((text) => this.#bounded(text))
    }
    this.#span.copy(this.#resource)
    this.#read(this.#span, this.#batch.attributes, span)
  }

  #read(into: FieldSlots, { keys, values, ends }: AttributeRuns, owner: number): void {
    const end = ends[owner] as number
    const ofResource = into === this.#resource
    let tagName: AttributeValue = null
    for (let i = ends[owner - 1] ?? 0; i < end; i++) {
      const key = keys[i] as number
      const value = values[i] as AttributeValue
      if (key === TAG_NAME_KEY) tagName = value
      else if (key === TAG_VALUE_KEY) this.#tag(into.tags, tagName, value)
      else into.set(key, value, ofResource)
    }
  }

  #tag(tags: Map<string, string>, name: AttributeValue, value: AttributeValue): void {
    const text = plainText(value)
    if (typeof name !== 'string' || text === null) return
    const bounded = this.#bounded(name, MAX_TAG_LENGTH)
    // As the key of a record, `__proto__` would not survive every reader of the event.
    const full = tags.size >= MAX_TAGS && !tags.has(bounded)
    if (full || bounded === '__proto__') this.shortened.tags++
    else tags.set(bounded, this.#bounded(text, MAX_TAG_LENGTH))
  }

  /** What the span's resource says, for whoever has to write it down again. */
  resourceAttributes(): [name: string, value: AttributeValue][] {
    return this.#resource.attributes()
  }

  value(field: FieldName): AttributeValue {
    return this.#span.values[FIELD[field]] as AttributeValue
  }

  /** The field as a name; numbers and truth values as their text; `null` where there is none or an empty one. */
  name(field: FieldName): string | null {
    const text = plainText(this.value(field))
    return text === null || text === '' ? null : this.#bounded(text)
  }

  /** The field's text as it is, however long. */
  text(field: FieldName): string | null {
    const value = this.value(field)
    return typeof value === 'string' ? value : null
  }

  isTrue(field: FieldName): boolean {
    const value = this.value(field)
    return value === true || value === 'true'
  }

  /** A whole number within the exact integers, also where it came as text; else `null`. */
  integer(field: FieldName): number | null {
    const value = this.value(field)
    const number = typeof value === 'string' && /^-?\d{1,16}$/.test(value) ? Number(value) : value
    return typeof number === 'number' && Number.isSafeInteger(number) ? number : null
  }

  /** A count; `null` where the span has none. Whatever cannot be a count is told in `problems`. */
  count(field: FieldName, problems: string[]): number | null {
    if (this.value(field) === null) return null
    const count = this.integer(field)
    if (count !== null && count >= 0 && count <= MAX_TOKENS_PER_CALL) return count
    problems.push(`${ATTRIBUTE_NAMES[FIELD[field]]} is ${shown(this.value(field))}`)
    return null
  }

  /** Keyed hashes of tool calls; of too many the last ones. */
  keys(field: FieldName): string[] {
    const value = this.value(field)
    if (!Array.isArray(value)) return []
    this.shortened.keys += Math.max(0, value.length - MAX_KEYS)
    return value.slice(-MAX_KEYS).map((key: string) => this.#bounded(key, MAX_TAG_LENGTH))
  }

  tags(): Record<string, string> {
    return Object.fromEntries(this.#span.tags)
  }

  #bounded(text: string, maxLength?: number): string {
    const bounded = boundedName(text, maxLength)
    if (bounded !== text) this.shortened.names++
    return bounded
  }
}

function plainText(value: AttributeValue): string | null {
  return value === null || typeof value === 'object' ? null : String(value)
}

/** A value for people, short. */
function shown(value: AttributeValue): string {
  if (typeof value === 'string') return `"${boundedName(value, 40)}"`
  if (value !== null && typeof value === 'object') return 'other' in value ? value.other : 'array'
  return String(value)
}
