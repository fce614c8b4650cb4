import type { LogEvent, UsageEvent } from '@tokenfuse/protocol'
import { corrupt, decodeEvent, encodeEvent, parsed, unknownVersion } from '../codec.ts'
import { buildEvent } from './build-event.ts'
import { KindTexts } from './kind-texts.ts'
import { KnownKinds } from './known-kinds.ts'
import { areOwnValues, ownText } from './own-values.ts'

/** The first value of an entry. `encodeEvent` writes what was version 1. */
const VERSION = 2
const HEAD = `[${VERSION},`
/** Version, number, kind and own values. */
const PARTS = 4

const COMMA = 0x2c
const BRACKET = 0x5b
const END = ']'
const ZERO = 0x30

/**
 * The form of a log that only tokenfuse reads: a call is an array of what its kind of calls has in common, and of what
 * it has for itself. A reader looks at the first part once for each kind, which takes a third of the time of
 * reading objects and half the space. Everything else is as `encodeEvent` writes it, which is read as well.
 *
 *     [2,<number of the kind>,[<values of the kind>],[<values of the call>]]
 */
export class CompactCodec {
  readonly #texts = new KindTexts()
  readonly #kinds = new KnownKinds()

  encode(event: LogEvent): string {
    if (event.type !== 'usage') return encodeEvent(event)
    const { number, text } = this.#texts.of(event)
    return `${HEAD}${number},${text},${ownText(event)}${END}`
  }

  /**
   * Reads what `encode` or `encodeEvent` wrote. Of a call every value is looked at.
   * @throws TokenfuseError `log_corrupt` where it is no event, `state_version` where a newer version wrote it
   */
  decode(text: string, offset: number): LogEvent {
    if (text.charCodeAt(0) !== BRACKET) return decodeEvent(text, offset)
    return this.#decodeKnown(text, offset) ?? this.#decodeWhole(text, offset)
  }

  /** @returns `null` where it is of a kind that was not read yet, or not in the form that is written */
  #decodeKnown(text: string, offset: number): UsageEvent | null {
    if (!text.startsWith(HEAD) || !text.endsWith(END)) return null
    let at = HEAD.length
    let number = 0
    for (let digit; (digit = text.charCodeAt(at) - ZERO) >= 0 && digit <= 9; at++) {
      number = number * 10 + digit
    }
    const known = this.#kinds.find(number, text, at + 1)
    if (known === undefined) return null
    const ownAt = at + 1 + known.text.length
    if (text.charCodeAt(at) !== COMMA || text.charCodeAt(ownAt) !== COMMA) return null
    const own = parsed(text.slice(ownAt + 1, -END.length), offset)
    if (!areOwnValues(own, known.kind.charges.length)) throw corrupt(offset)
    return buildEvent(known.kind, own)
  }

  #decodeWhole(text: string, offset: number): UsageEvent {
    const values = parsed(text, offset)
    if (!Array.isArray(values) || typeof values[0] !== 'number') throw corrupt(offset)
    const [version, number, kindValues, own] = values as readonly unknown[]
    if (version !== VERSION) throw unknownVersion(offset, 'usage', values[0])
    if (typeof number !== 'number' || values.length !== PARTS) throw corrupt(offset)
    const kind = this.#kinds.read(number, kindValues)
    if (kind === null || !areOwnValues(own, kind.charges.length)) throw corrupt(offset)
    return buildEvent(kind, own)
  }
}
