import { ATTR_TAG_PREFIX, type DeadLetter } from '@tokenfuse/protocol'
import { ATTRIBUTE_NAMES, TAG_NAME_KEY, TAG_VALUE_KEY } from './attribute-table.ts'
import type { MeterOptions } from './options.ts'
import type { AttributeRuns, AttributeValue, SpanBatch } from './span-batch.ts'
import type { SpanFields } from './span-fields.ts'
import { spanIds } from './span-identity.ts'

const utf8 = new TextEncoder()

/** Values of which only the kind is known, so that they are found wrong again. */
const OTHER_VALUES = {
  kvlist: { kvlistValue: {} },
  bytes: { bytesValue: '' },
  text: { intValue: 'unreadable' },
} as const

/**
 * A span that claims what cannot be true, kept so that it can be looked at and metered again: an OTLP/JSON request
 * with this one span, as far as the meter reads it, so without any content.
 * @param fields with this span loaded
 */
export function deadLetterOf(
  batch: SpanBatch,
  span: number,
  fields: SpanFields,
  problems: readonly string[],
  { source, defaultTenant }: MeterOptions,
): DeadLetter {
  const { traceId, spanId } = spanIds(batch, span)
  const resource = { attributes: fields.resourceAttributes().map(toAttribute) }
  const request = {
    resourceSpans: [{ resource, scopeSpans: [{ spans: [spanAt(batch, span)] }] }],
  }
  return {
    tenant: fields.name('tenant') ?? defaultTenant,
    // One payload may hold several such spans, and each is a letter of its own.
    source: `${source}#${span}`,
    code: 'usage_invalid',
    message: `span ${traceId ?? 'of no trace'}/${spanId ?? 'of no id'}: ${problems.join('; ')}`,
    payload: utf8.encode(JSON.stringify(request)),
    contentType: 'application/json',
  }
}

function spanAt(batch: SpanBatch, span: number) {
  const { traceId, spanId, parentSpanId } = spanIds(batch, span)
  const startMs = batch.startTimesMs[span] as number
  return {
    ...(traceId !== null && { traceId }),
    ...(spanId !== null && { spanId }),
    ...(parentSpanId !== null && { parentSpanId }),
    startTimeUnixNano: unixNanos(startMs),
    endTimeUnixNano: unixNanos(startMs + (batch.durationsMs[span] as number)),
    attributes: spanAttributes(batch.attributes, span),
    ...(batch.failed[span] && { status: { code: 2 } }),
  }
}

/** To the microsecond, which a number holds exactly. */
function unixNanos(timeMs: number): string {
  return (BigInt(Math.max(0, Math.round(timeMs * 1000))) * 1000n).toString()
}

function spanAttributes({ keys, values, ends }: AttributeRuns, owner: number) {
  const attributes: ReturnType<typeof toAttribute>[] = []
  const end = ends[owner] as number
  let tagName = ''
  for (let i = ends[owner - 1] ?? 0; i < end; i++) {
    const key = keys[i] as number
    const value = values[i] ?? null
    if (key === TAG_NAME_KEY) tagName = typeof value === 'string' ? value : ''
    else if (key === TAG_VALUE_KEY) attributes.push(toAttribute([ATTR_TAG_PREFIX + tagName, value]))
    else attributes.push(toAttribute([ATTRIBUTE_NAMES[key] as string, value]))
  }
  return attributes
}

function toAttribute([key, value]: [name: string, value: AttributeValue]) {
  return { key, value: anyValue(value) }
}

function anyValue(value: AttributeValue) {
  if (value === null) return {}
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value === 'bigint') return { intValue: String(value) }
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return { intValue: String(value) }
    return { doubleValue: Number.isFinite(value) ? value : String(value) }
  }
  if ('other' in value) return OTHER_VALUES[value.other]
  return { arrayValue: { values: value.map((text) => ({ stringValue: text })) } }
}
