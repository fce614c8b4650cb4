import { ATTR_TAG_PREFIX } from '@tokenfuse/protocol'
import { ATTRIBUTE_NAMES, TAG_NAME_KEY, TAG_VALUE_KEY } from './attribute-table.ts'
import { KeyTable } from './key-table.ts'
import { type AttributeValue, BYTES_VALUE, KVLIST_VALUE, type SpanBatch } from './span-batch.ts'
import { SpanBatchBuilder } from './span-batch-builder.ts'
import { StringReader } from './string-reader.ts'
import { WireReader } from './wire-reader.ts'

// Tags: field number x 8 + wire type (0 varint, 1 fixed64, 2 length-delimited). A known field that comes with another
// wire type is an unknown field, as protobuf has it.
const REQUEST_RESOURCE_SPANS = 0x0a
const RESOURCE_SPANS_RESOURCE = 0x0a
const RESOURCE_SPANS_SCOPE_SPANS = 0x12
const RESOURCE_ATTRIBUTES = 0x0a
const SCOPE_SPANS_SPANS = 0x12
const SPAN_TRACE_ID = 0x0a
const SPAN_SPAN_ID = 0x12
const SPAN_PARENT_SPAN_ID = 0x22
const SPAN_START_TIME = 0x39
const SPAN_END_TIME = 0x41
const SPAN_ATTRIBUTES = 0x4a
const SPAN_STATUS = 0x7a
const STATUS_CODE = 0x18
const KEY_VALUE_KEY = 0x0a
const KEY_VALUE_VALUE = 0x12
const ANY_STRING = 0x0a
const ANY_BOOL = 0x10
const ANY_INT = 0x18
const ANY_DOUBLE = 0x21
const ANY_ARRAY = 0x2a
const ANY_KVLIST = 0x32
const ANY_BYTES = 0x3a
const ARRAY_VALUES = 0x0a

const STATUS_ERROR = 2

const KEYS = new KeyTable(ATTRIBUTE_NAMES)
const TAG_PREFIX = Uint8Array.from(ATTR_TAG_PREFIX, (char) => char.charCodeAt(0))

/**
 * Reads an ExportTraceServiceRequest (or TracesData, which is the same on the wire) in protobuf. Attributes that the
 * meter does not read, prompts among them, are passed over without being looked at.
 * @throws TokenfuseError `otlp_malformed`
 */
export function decodeProtobuf(body: Uint8Array): SpanBatch {
  return new ProtobufDecoder(body).decode()
}

class ProtobufDecoder {
  readonly #reader: WireReader
  readonly #strings: StringReader
  readonly #batch: SpanBatchBuilder

  constructor(body: Uint8Array) {
    this.#reader = new WireReader(body)
    this.#strings = new StringReader(this.#reader.view)
    this.#batch = new SpanBatchBuilder(body.length)
  }

  decode(): SpanBatch {
    const reader = this.#reader
    const end = reader.bytes.length
    while (reader.position < end) {
      const tag = reader.tag(end)
      if (tag === REQUEST_RESOURCE_SPANS) this.#resourceSpans(reader.end(end))
      else reader.skip(tag, end)
    }
    return this.#batch.finish()
  }

  #resourceSpans(end: number): void {
    const reader = this.#reader
    while (reader.position < end) {
      const tag = reader.tag(end)
      if (tag === RESOURCE_SPANS_SCOPE_SPANS) this.#scopeSpans(reader.end(end))
      else if (tag === RESOURCE_SPANS_RESOURCE) this.#resource(reader.end(end))
      else reader.skip(tag, end)
    }
    this.#batch.endResource()
  }

  #resource(end: number): void {
    const reader = this.#reader
    while (reader.position < end) {
      const tag = reader.tag(end)
      if (tag === RESOURCE_ATTRIBUTES) this.#attribute(reader.end(end), true)
      else reader.skip(tag, end)
    }
  }

  #scopeSpans(end: number): void {
    const reader = this.#reader
    while (reader.position < end) {
      const tag = reader.tag(end)
      if (tag === SCOPE_SPANS_SPANS) this.#span(reader.end(end))
      else reader.skip(tag, end)
    }
  }

  #span(end: number): void {
    const reader = this.#reader
    const batch = this.#batch
    batch.beginSpan()
    while (reader.position < end) {
      const tag = reader.tag(end)
      if (tag === SPAN_ATTRIBUTES) this.#attribute(reader.end(end), false)
      else if (tag === SPAN_TRACE_ID) this.#id('trace', end)
      else if (tag === SPAN_SPAN_ID) this.#id('span', end)
      else if (tag === SPAN_PARENT_SPAN_ID) this.#id('parent', end)
      else if (tag === SPAN_START_TIME) {
        const at = reader.fixed64(end)
        batch.setStart(reader.uint32(at + 4), reader.uint32(at))
      } else if (tag === SPAN_END_TIME) {
        const at = reader.fixed64(end)
        batch.setEnd(reader.uint32(at + 4), reader.uint32(at))
      } else if (tag === SPAN_STATUS) this.#status(reader.end(end))
      else reader.skip(tag, end)
    }
    batch.endSpan()
  }

  #id(part: 'trace' | 'span' | 'parent', end: number): void {
    const reader = this.#reader
    const stop = reader.end(end)
    this.#batch.setId(part, reader.view, reader.position, stop)
    reader.position = stop
  }

  #status(end: number): void {
    const reader = this.#reader
    while (reader.position < end) {
      const tag = reader.tag(end)
      if (tag === STATUS_CODE) this.#batch.setFailed(reader.int64(end) === STATUS_ERROR)
      else reader.skip(tag, end)
    }
  }

  #attribute(end: number, ofResource: boolean): void {
    if (!this.#plainAttribute(end, ofResource)) this.#anyAttribute(end, ofResource)
    this.#reader.position = end
  }

  /**
   * The form that every encoder writes, read without a call for each byte: the key, the value, nothing else, and
   * neither 128 bytes of key nor 16 KiB of value.
   * @returns false where it has another form; then nothing was done
   */
  #plainAttribute(end: number, ofResource: boolean): boolean {
    const { bytes, position } = this.#reader
    if (position + 4 > end || bytes[position] !== KEY_VALUE_KEY) return false
    const keyLength = bytes[position + 1] as number
    const keyStart = position + 2
    const keyEnd = keyStart + keyLength
    if (keyLength >= 0x80 || keyEnd + 2 > end || bytes[keyEnd] !== KEY_VALUE_VALUE) return false
    let valueStart = keyEnd + 2
    let valueLength = bytes[keyEnd + 1] as number
    if (valueLength >= 0x80) {
      if (valueStart >= end || (bytes[valueStart] as number) >= 0x80) return false
      valueLength = (valueLength & 0x7f) | ((bytes[valueStart] as number) << 7)
      valueStart++
    }
    if (valueStart + valueLength !== end) return false
    this.#keyAndValue(keyStart, keyEnd, valueStart, end, ofResource)
    return true
  }

  /** The value may come before its key, so both are only found here and the value is read once the key is known. */
  #anyAttribute(end: number, ofResource: boolean): void {
    const reader = this.#reader
    let keyStart = 0
    let keyEnd = 0
    let valueStart = 0
    let valueEnd = 0
    while (reader.position < end) {
      const tag = reader.tag(end)
      if (tag === KEY_VALUE_KEY) {
        keyEnd = reader.end(end)
        keyStart = reader.position
        reader.position = keyEnd
      } else if (tag === KEY_VALUE_VALUE) {
        valueEnd = reader.end(end)
        valueStart = reader.position
        reader.position = valueEnd
      } else reader.skip(tag, end)
    }
    this.#keyAndValue(keyStart, keyEnd, valueStart, valueEnd, ofResource)
  }

  #keyAndValue(
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
    ofResource: boolean,
  ): void {
    const { bytes, view } = this.#reader
    const key = KEYS.find(view, keyStart, keyEnd)
    if (key >= 0) this.#add(ofResource, key, this.#value(valueStart, valueEnd))
    else if (isTag(bytes, keyStart, keyEnd)) {
      const name = this.#strings.read(keyStart + TAG_PREFIX.length, keyEnd)
      this.#add(ofResource, TAG_NAME_KEY, name)
      this.#add(ofResource, TAG_VALUE_KEY, this.#anyValue(valueStart, valueEnd))
    }
  }

  #add(ofResource: boolean, key: number, value: AttributeValue): void {
    if (ofResource) this.#batch.addResourceAttribute(key, value)
    else this.#batch.addAttribute(key, value)
  }

  /** Short texts are most of all values, and each is alone in its message. */
  #value(start: number, end: number): AttributeValue {
    const { bytes } = this.#reader
    const length = end - start - 2
    if (bytes[start] === ANY_STRING && bytes[start + 1] === length && length < 0x80) {
      return this.#strings.read(start + 2, end)
    }
    return this.#anyValue(start, end)
  }

  #anyValue(start: number, end: number): AttributeValue {
    const reader = this.#reader
    reader.position = start
    let value: AttributeValue = null
    while (reader.position < end) {
      const tag = reader.tag(end)
      if (tag === ANY_STRING) value = this.#string(end)
      else if (tag === ANY_INT) value = reader.int64(end)
      else if (tag === ANY_BOOL) value = reader.bool(end)
      else if (tag === ANY_DOUBLE) value = reader.double(end)
      else if (tag === ANY_ARRAY) value = this.#stringArray(reader.end(end))
      else {
        if (tag === ANY_KVLIST) value = KVLIST_VALUE
        else if (tag === ANY_BYTES) value = BYTES_VALUE
        reader.skip(tag, end)
      }
    }
    return value
  }

  #string(end: number): string {
    const reader = this.#reader
    const stop = reader.end(end)
    const text = this.#strings.read(reader.position, stop)
    reader.position = stop
    return text
  }

  /** No attribute of ours holds an array of anything but strings, so nothing else in it is kept and nothing nests. */
  #stringArray(end: number): string[] {
    const reader = this.#reader
    const texts: string[] = []
    while (reader.position < end) {
      const tag = reader.tag(end)
      if (tag !== ARRAY_VALUES) {
        reader.skip(tag, end)
        continue
      }
      const stop = reader.end(end)
      const text = this.#stringOnly(stop)
      if (text !== null) texts.push(text)
    }
    return texts
  }

  #stringOnly(end: number): string | null {
    const reader = this.#reader
    let text: string | null = null
    while (reader.position < end) {
      const tag = reader.tag(end)
      if (tag === ANY_STRING) text = this.#string(end)
      else reader.skip(tag, end)
    }
    return text
  }
}

function isTag(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start <= TAG_PREFIX.length) return false
  for (let i = 0; i < TAG_PREFIX.length; i++) if (bytes[start + i] !== TAG_PREFIX[i]) return false
  return true
}
