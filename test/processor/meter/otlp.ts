import protobuf from 'protobufjs'
import {
  ATTRIBUTE_NAMES,
  TAG_NAME_KEY,
  TAG_VALUE_KEY,
} from '../../../processor/src/meter/attribute-table.ts'
import { spanIds } from '../../../processor/src/meter/span-identity.ts'
import type { AttributeValue, SpanBatch } from '../../../processor/src/meter/span-batch.ts'

/** OTLP 1 with its field numbers, as far as a trace export request goes. */
const OTLP_PROTO = `
syntax = "proto3";
message ExportTraceServiceRequest { repeated ResourceSpans resource_spans = 1; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; string schema_url = 3; }
message Resource { repeated KeyValue attributes = 1; uint32 dropped_attributes_count = 2; }
message ScopeSpans { InstrumentationScope scope = 1; repeated Span spans = 2; string schema_url = 3; }
message InstrumentationScope { string name = 1; string version = 2; repeated KeyValue attributes = 3; }
message Span {
  bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5;
  int32 kind = 6; fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8;
  repeated KeyValue attributes = 9; uint32 dropped_attributes_count = 10;
  repeated Event events = 11; repeated Link links = 13; Status status = 15; fixed32 flags = 16;
}
message Event { fixed64 time_unix_nano = 1; string name = 2; repeated KeyValue attributes = 3; }
message Link { bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; repeated KeyValue attributes = 4; }
message Status { string message = 2; int32 code = 3; }
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue {
  oneof value {
    string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4;
    ArrayValue array_value = 5; KeyValueList kvlist_value = 6; bytes bytes_value = 7;
  }
}
message ArrayValue { repeated AnyValue values = 1; }
message KeyValueList { repeated KeyValue values = 1; }
`

export type OtlpValue = {
  stringValue?: string
  boolValue?: boolean
  intValue?: string
  doubleValue?: number
  arrayValue?: { values: OtlpValue[] }
  kvlistValue?: { values: OtlpAttribute[] }
  bytesValue?: Uint8Array
}
export type OtlpAttribute = { key: string; value: OtlpValue }
export type OtlpSpan = {
  traceId: string
  spanId: string
  parentSpanId?: string
  name?: string
  startTimeUnixNano: string
  endTimeUnixNano: string
  attributes: OtlpAttribute[]
  events?: { name: string; attributes: OtlpAttribute[] }[]
  status?: { code?: number; message?: string }
}
export type OtlpResourceSpans = {
  resource?: { attributes: OtlpAttribute[] }
  scopeSpans: { spans: OtlpSpan[] }[]
}
export type OtlpRequest = { resourceSpans: OtlpResourceSpans[] }

export const requestType = protobuf.parse(OTLP_PROTO).root.lookupType('ExportTraceServiceRequest')

/** As a sender of protobuf encodes it: ids are bytes there, hex in `request`. */
export function toProtobuf(request: OtlpRequest): Uint8Array {
  const withBytes = {
    resourceSpans: request.resourceSpans.map((resourceSpans) => ({
      ...resourceSpans,
      scopeSpans: resourceSpans.scopeSpans.map(({ spans }) => ({
        spans: spans.map((span) => ({
          ...span,
          traceId: fromHex(span.traceId),
          spanId: fromHex(span.spanId),
          parentSpanId: fromHex(span.parentSpanId ?? ''),
        })),
      })),
    })),
  }
  return requestType.encode(requestType.fromObject(withBytes)).finish()
}

export function toJson(request: OtlpRequest): Uint8Array {
  const text = JSON.stringify(request, (_, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value,
  )
  return Buffer.from(text)
}

const fromHex = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))

/** An attribute list from plain values: numbers without a fraction become ints. */
export function attributes(values: Readonly<Record<string, unknown>>): OtlpAttribute[] {
  return Object.entries(values).map(([key, value]) => ({ key, value: otlpValue(value) }))
}

function otlpValue(value: unknown): OtlpValue {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value === 'bigint') return { intValue: String(value) }
  if (typeof value === 'number') {
    return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value }
  }
  if (Array.isArray(value)) return { arrayValue: { values: value.map(otlpValue) } }
  return value as OtlpValue
}

export const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'
export const SPAN_ID = 'b7ad6b7169203331'
/** 2026-01-02T03:04:05.678Z */
export const START_MS = 1_767_323_045_678

/** A span of a call that took 812 ms, with these attributes. */
export function otlpSpan(
  values: Readonly<Record<string, unknown>>,
  overrides: Partial<OtlpSpan> = {},
): OtlpSpan {
  return {
    traceId: TRACE_ID,
    spanId: SPAN_ID,
    startTimeUnixNano: `${START_MS}000000`,
    endTimeUnixNano: `${START_MS + 812}000000`,
    attributes: attributes(values),
    ...overrides,
  }
}

export function otlpRequest(
  spans: OtlpSpan[],
  resource: Readonly<Record<string, unknown>> = {},
): OtlpRequest {
  return {
    resourceSpans: [{ resource: { attributes: attributes(resource) }, scopeSpans: [{ spans }] }],
  }
}

export type ReadableSpan = {
  readonly traceId: string | null
  readonly spanId: string | null
  readonly parentSpanId: string | null
  readonly startTimeMs: number
  readonly durationMs: number
  readonly failed: boolean
  readonly attributes: readonly (readonly [name: string, value: AttributeValue])[]
  readonly resource: readonly (readonly [name: string, value: AttributeValue])[]
}

/** What a batch holds, span by span. */
export function readable(batch: SpanBatch): ReadableSpan[] {
  return Array.from({ length: batch.count }, (_, span) => ({
    ...spanIds(batch, span),
    startTimeMs: batch.startTimesMs[span] ?? Number.NaN,
    durationMs: batch.durationsMs[span] ?? Number.NaN,
    failed: batch.failed[span] ?? false,
    attributes: run(batch.attributes, span),
    resource: run(batch.resourceAttributes, batch.resources[span] ?? -1),
  }))
}

function run({ keys, values, ends }: SpanBatch['attributes'], owner: number) {
  const pairs: [string, AttributeValue][] = []
  let tagName: AttributeValue = null
  for (let i = ends[owner - 1] ?? 0; i < (ends[owner] ?? 0); i++) {
    const key = keys[i] ?? -1
    const value = values[i] ?? null
    if (key === TAG_NAME_KEY) tagName = value
    if (key === TAG_NAME_KEY) continue
    const name = key === TAG_VALUE_KEY ? `tokenfuse.tag.${tagName as string}` : ATTRIBUTE_NAMES[key]
    pairs.push([name ?? '?', value])
  }
  return pairs
}

/** A span as it stands on the wire, whole integers as text. */
export type WireSpan = Readonly<Record<string, unknown>> & {
  readonly traceId: string
  readonly attributes?: readonly { readonly key: string; readonly value: OtlpValue }[]
}

/** The spans of a protobuf request, with all that they hold. */
export function spansOfProtobuf(bytes: Uint8Array): WireSpan[] {
  const request = requestType.toObject(requestType.decode(bytes), { longs: String }) as {
    resourceSpans?: { scopeSpans?: { spans?: (WireSpan & { traceId: unknown })[] }[] }[]
  }
  return (request.resourceSpans ?? [])
    .flatMap(({ scopeSpans = [] }) => scopeSpans.flatMap(({ spans = [] }) => spans))
    .map((span) => ({ ...span, traceId: Buffer.from(span.traceId).toString('hex') }))
}
