import { type AttributeValue, BYTES_VALUE, KVLIST_VALUE, TEXT_VALUE } from './span-batch.ts'

/** An AnyValue of OTLP/JSON. What is of no use to the meter is named, not kept; nothing nests. */
export function anyValueFromJson(value: unknown): AttributeValue {
  if (!isRecord(value)) return value === null || value === undefined ? null : TEXT_VALUE
  if (isSet(value['stringValue'])) return textFrom(value['stringValue'])
  if (isSet(value['intValue'])) return intFrom(value['intValue'])
  if (isSet(value['doubleValue'])) return doubleFrom(value['doubleValue'])
  if (isSet(value['boolValue'])) {
    return typeof value['boolValue'] === 'boolean' ? value['boolValue'] : TEXT_VALUE
  }
  if (isSet(value['arrayValue'])) return stringsFrom(value['arrayValue'])
  if (isSet(value['kvlistValue'])) return KVLIST_VALUE
  return isSet(value['bytesValue']) ? BYTES_VALUE : null
}

function textFrom(value: unknown): AttributeValue {
  // A lone half of a surrogate pair cannot be written as UTF-8 again.
  return typeof value === 'string' ? value.toWellFormed() : TEXT_VALUE
}

/** 64-bit integers are decimal strings in OTLP/JSON; numbers are sent all the same. */
function intFrom(value: unknown): AttributeValue {
  if (typeof value === 'number') return value
  if (typeof value !== 'string' || !/^-?\d{1,20}$/.test(value)) return TEXT_VALUE
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : BigInt(value)
}

function doubleFrom(value: unknown): AttributeValue {
  if (typeof value === 'number') return value
  if (typeof value !== 'string' || value.trim() === '') return TEXT_VALUE
  const number = Number(value)
  return Number.isNaN(number) && value !== 'NaN' ? TEXT_VALUE : number
}

function stringsFrom(value: unknown): AttributeValue {
  const values = isRecord(value) ? value['values'] : null
  if (!Array.isArray(values)) return isSet(values) ? TEXT_VALUE : []
  return values.flatMap((element: unknown) => {
    const text = isRecord(element) ? element['stringValue'] : null
    return typeof text === 'string' ? [text.toWellFormed()] : []
  })
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const isSet = (value: unknown) => value !== undefined && value !== null
