import { ATTR_TAG_PREFIX } from '@tokenfuse/protocol'
import { anyValueFromJson, isRecord } from './any-value-json.ts'
import { ATTRIBUTE_NAMES, TAG_NAME_KEY, TAG_VALUE_KEY } from './attribute-table.ts'
import { idFromText } from './ids.ts'
import { malformed } from './malformed.ts'
import { type AttributeValue, ID_PARTS, type IdPart, type SpanBatch } from './span-batch.ts'
import { SpanBatchBuilder } from './span-batch-builder.ts'

const KEYS: ReadonlyMap<string, number> = new Map(ATTRIBUTE_NAMES.map((name, key) => [name, key]))
const STATUS_ERROR: readonly unknown[] = [2, 'STATUS_CODE_ERROR']
const HIGHEST_TIME = 0xffff_ffff_ffff_ffffn
const LOW_HALF = 0xffff_ffffn

const utf8 = new TextDecoder()

type Json = Readonly<Record<string, unknown>>

/**
 * Reads an ExportTraceServiceRequest in OTLP/JSON. What has the wrong shape is malformed as a whole; a wrong value
 * within a span is that span's fault alone.
 * @throws TokenfuseError `otlp_malformed`
 */
export function decodeJson(body: Uint8Array): SpanBatch {
  const batch = new SpanBatchBuilder(body.length)
  const request = recordAt(parse(body), 'at its root')
  for (const [r, element] of listAt(request['resourceSpans'], 'resourceSpans').entries()) {
    const path = `resourceSpans[${r}]`
    const resourceSpans = recordAt(element, `at ${path}`)
    const { resource } = resourceSpans
    if (resource !== undefined && resource !== null) {
      const attributes = recordAt(resource, `at ${path}.resource`)['attributes']
      addAttributes(attributes, `${path}.resource`, (key, value) =>
        batch.addResourceAttribute(key, value),
      )
    }
    for (const [s, scope] of listAt(resourceSpans['scopeSpans'], `${path}.scopeSpans`).entries()) {
      const scopePath = `${path}.scopeSpans[${s}]`
      const { spans } = recordAt(scope, `at ${scopePath}`)
      for (const [i, span] of listAt(spans, `${scopePath}.spans`).entries()) {
        addSpan(batch, span, `${scopePath}.spans[${i}]`)
      }
    }
    batch.endResource()
  }
  return batch.finish()
}

function addSpan(batch: SpanBatchBuilder, element: unknown, path: string): void {
  const span = recordAt(element, `at ${path}`)
  batch.beginSpan()
  setId(batch, 'trace', span['traceId'])
  setId(batch, 'span', span['spanId'])
  setId(batch, 'parent', span['parentSpanId'])
  const start = nanosFrom(span['startTimeUnixNano'])
  const end = nanosFrom(span['endTimeUnixNano'])
  if (start === null || end === null) batch.addFault('its times are no nanoseconds since 1970')
  batch.setStart(highHalf(start), lowHalf(start))
  batch.setEnd(highHalf(end), lowHalf(end))
  const { status } = span
  if (isRecord(status)) batch.setFailed(STATUS_ERROR.includes(status['code']))
  addAttributes(span['attributes'], path, (key, value) => batch.addAttribute(key, value))
  batch.endSpan()
}

function setId(batch: SpanBatchBuilder, part: IdPart, value: unknown): void {
  if (value === undefined || value === null) return
  const bytes = typeof value === 'string' ? idFromText(value, ID_PARTS[part].words * 4) : null
  if (bytes) batch.setId(part, new DataView(bytes.buffer), 0, bytes.length)
  else batch.addFault(`its ${ID_PARTS[part].name} is neither hex nor base64 of the right length`)
}

/** @returns `null` where the value is no time; 0 where there is none */
function nanosFrom(value: unknown): bigint | null {
  if (value === undefined || value === null) return 0n
  if (typeof value === 'string' ? !/^\d{1,20}$/.test(value) : !Number.isInteger(value)) return null
  const nanos = BigInt(value as string | number)
  return nanos >= 0n && nanos <= HIGHEST_TIME ? nanos : null
}

const highHalf = (nanos: bigint | null) => Number((nanos ?? 0n) >> 32n)
const lowHalf = (nanos: bigint | null) => Number((nanos ?? 0n) & LOW_HALF)

function addAttributes(
  attributes: unknown,
  path: string,
  add: (key: number, value: AttributeValue) => void,
): void {
  for (const [i, element] of listAt(attributes, `${path}.attributes`).entries()) {
    if (!isRecord(element)) throw malformed('no object', `at ${path}.attributes[${i}]`)
    const name = element['key']
    if (typeof name !== 'string') continue
    const key = KEYS.get(name)
    if (key !== undefined) add(key, anyValueFromJson(element['value']))
    else if (name.startsWith(ATTR_TAG_PREFIX) && name.length > ATTR_TAG_PREFIX.length) {
      add(TAG_NAME_KEY, name.slice(ATTR_TAG_PREFIX.length).toWellFormed())
      add(TAG_VALUE_KEY, anyValueFromJson(element['value']))
    }
  }
}

function recordAt(value: unknown, where: string): Json {
  if (!isRecord(value)) throw malformed('no object', where)
  return value
}

function listAt(value: unknown, path: string): readonly unknown[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw malformed('no array', `at ${path}`)
  return value
}

function parse(body: Uint8Array): unknown {
  const text = utf8.decode(body)
  try {
    return JSON.parse(text)
  } catch (error) {
    // The engine's message quotes the text around the error, which may be a prompt; only the position is taken.
    const position = /position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1]
    const where =
      position === undefined ? `within its ${text.length} characters` : `at character ${position}`
    throw malformed('no JSON', where)
  }
}
