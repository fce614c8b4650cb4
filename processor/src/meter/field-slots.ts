import { ATTR_TAG_PREFIX } from '@tokenfuse/protocol'
import { ATTRIBUTE_NAMES, FIELD_COUNT, FIELD_OF_KEY } from './attribute-table.ts'
import type { AttributeValue } from './span-batch.ts'

// Whose word holds where several say the same field: the span's own over its resource's, today's name over an older.
const NOBODY = 0
const RESOURCE = 1
const OLDER_NAME = 2
const NAME_OF_TODAY = 3

/** A place for each field, and who said what stands there. */
export class FieldSlots {
  readonly values: AttributeValue[] = Array.from({ length: FIELD_COUNT }, () => null)
  readonly tags = new Map<string, string>()
  readonly #ranks: number[] = Array.from({ length: FIELD_COUNT }, () => NOBODY)

  clear(): void {
    this.values.fill(null)
    this.#ranks.fill(NOBODY)
    this.tags.clear()
  }

  copy(other: FieldSlots): void {
    for (let field = 0; field < FIELD_COUNT; field++) {
      this.values[field] = other.values[field] as AttributeValue
      this.#ranks[field] = other.#ranks[field] as number
    }
    this.tags.clear()
    for (const [name, value] of other.tags) this.tags.set(name, value)
  }

  set(key: number, value: AttributeValue, ofResource: boolean): void {
    const rank = ofResource ? RESOURCE : key < FIELD_COUNT ? NAME_OF_TODAY : OLDER_NAME
    const field = FIELD_OF_KEY[key] as number
    if (rank < (this.#ranks[field] as number)) return
    this.#ranks[field] = rank
    this.values[field] = value
  }

  updateTexts(update: (text: string) => string): void {
    for (const [field, value] of this.values.entries()) {
      if (typeof value === 'string') this.values[field] = update(value)
    }
  }

  /** All that is set, under the names of today. */
  attributes(): [name: string, value: AttributeValue][] {
    const fields = [...this.values.entries()].filter(([field]) => this.#ranks[field] !== NOBODY)
    return [
      ...fields.map(
        ([field, value]) => [ATTRIBUTE_NAMES[field] as string, value] as [string, AttributeValue],
      ),
      ...[...this.tags].map(
        ([name, value]) => [ATTR_TAG_PREFIX + name, value] as [string, AttributeValue],
      ),
    ]
  }
}
