import { UNKNOWN } from '@tokenfuse/protocol/names'

/** An OTLP attribute in its JSON form: 64-bit integers are decimal strings. */
export type Attribute = { readonly key: string; readonly value: AttributeValue }
export type AttributeValue =
  | { readonly stringValue: string }
  | { readonly intValue: string }
  | { readonly boolValue: boolean }
  | { readonly arrayValue: { readonly values: readonly { readonly stringValue: string }[] } }

/** Names come from outside too: longer ones are cut, so that no span outgrows a request. */
const TEXT_LENGTH_MAX = 1024
const LIST_LENGTH_MAX = 512

/** Builds a list of attributes; what is unknown is left out, never sent as 0 or as the empty text. */
export class AttributeList {
  readonly attributes: Attribute[] = []

  /** A text; `null` and the empty text are left out. */
  text(key: string, value: string | null): this {
    if (value !== null && value !== '') this.#add(key, { stringValue: bounded(value) })
    return this
  }

  /** A name for which the literal `unknown` stands where nobody gave one. */
  name(key: string, value: string): this {
    return this.text(key, value === UNKNOWN ? null : value)
  }

  /** A text that cannot be cut: JSON. */
  json(key: string, value: unknown): this {
    this.#add(key, { stringValue: JSON.stringify(value).toWellFormed() })
    return this
  }

  /** A whole number; anything else is unknown. */
  count(key: string, value: number | null): this {
    if (Number.isSafeInteger(value)) this.#add(key, { intValue: String(value) })
    return this
  }

  flag(key: string, value: boolean): this {
    this.#add(key, { boolValue: value })
    return this
  }

  /** The last so many of a list of texts: what is newest says most. */
  list(key: string, values: readonly string[]): this {
    if (values.length === 0) return this
    const last = values.slice(-LIST_LENGTH_MAX)
    this.#add(key, { arrayValue: { values: last.map((text) => ({ stringValue: bounded(text) })) } })
    return this
  }

  #add(key: string, value: AttributeValue): void {
    this.attributes.push({ key, value })
  }
}

// Well-formed, since half of a surrogate pair is no text that a strict reader of OTLP would take.
const bounded = (text: string) => text.slice(0, TEXT_LENGTH_MAX).toWellFormed()
