import {
  ATTR_DROPPED_SPANS,
  ATTR_GUARD_END,
  ATTR_GUARD_ID,
  ATTR_SERVICE_NAME,
  ATTR_TELEMETRY_SDK_LANGUAGE,
  ATTR_TELEMETRY_SDK_NAME,
  ATTR_TELEMETRY_SDK_VERSION,
  ATTR_TENANT,
  UNKNOWN,
} from '@tokenfuse/protocol/names'
import { newSpanId, newTraceId } from '../context/trace-ids.ts'
import { VERSION } from '../version.ts'
import { AttributeList } from './attribute-list.ts'
import type { CallRecord } from './call-record.ts'
import { callAttributes } from './call-attributes.ts'

/** A span as it goes over the wire: JSON text of one OTLP `Span`, and the service that its resource names. */
export type EncodedSpan = {
  readonly service: string
  readonly json: string
  /** Of `json` in UTF-8. */
  readonly bytes: number
}

const SPAN_KIND_INTERNAL = 1
const SPAN_KIND_CLIENT = 3
const STATUS_ERROR = 2

export function encodeSpan(call: CallRecord): EncodedSpan {
  const json = JSON.stringify({
    traceId: call.traceId,
    spanId: call.spanId,
    ...(call.parentSpanId !== null && { parentSpanId: call.parentSpanId }),
    name: `${call.operation} ${call.requestModel}`.slice(0, 256).toWellFormed(),
    kind: SPAN_KIND_CLIENT,
    startTimeUnixNano: unixNanos(call.startTimeMs),
    endTimeUnixNano: unixNanos(call.endTimeMs),
    attributes: callAttributes(call),
    ...(call.error !== null && { status: { code: STATUS_ERROR } }),
  })
  return { service: call.attribution.service, json, bytes: Buffer.byteLength(json) }
}

/**
 * The last word of a guard that was lent credit: all its calls have been recorded before, so what is idle can be lent
 * to others. A span, so that it goes the way of its calls and behind them.
 */
export function encodeGuardEnd(tenant: string, nowMs: number): EncodedSpan {
  const time = unixNanos(nowMs)
  const json = JSON.stringify({
    traceId: newTraceId(),
    spanId: newSpanId(),
    name: 'tokenfuse guard end',
    kind: SPAN_KIND_INTERNAL,
    startTimeUnixNano: time,
    endTimeUnixNano: time,
    attributes: new AttributeList().flag(ATTR_GUARD_END, true).text(ATTR_TENANT, tenant).attributes,
  })
  return { service: UNKNOWN, json, bytes: Buffer.byteLength(json) }
}

/** Nanoseconds since 1970 as a decimal string, from ms that may have a fraction. */
function unixNanos(timeMs: number): string {
  const whole = Math.floor(timeMs)
  return (BigInt(whole) * 1_000_000n + BigInt(Math.round((timeMs - whole) * 1e6))).toString()
}

/** The body of one OTLP/HTTP JSON request: spans by service, each under the resource of its guard. */
export function encodeRequest(
  spans: readonly EncodedSpan[],
  guardId: string,
  droppedSpans: number,
): string {
  const scope = JSON.stringify({ name: '@tokenfuse/instrumentation', version: VERSION })
  const resourceSpans = Map.groupBy(spans, (span) => span.service)
    .entries()
    .map(([service, ofService]) => {
      const resource = JSON.stringify({
        attributes: resourceAttributes(service, guardId, droppedSpans),
      })
      const list = ofService.map((span) => span.json).join(',')
      return `{"resource":${resource},"scopeSpans":[{"scope":${scope},"spans":[${list}]}]}`
    })
  return `{"resourceSpans":[${[...resourceSpans].join(',')}]}`
}

function resourceAttributes(service: string, guardId: string, droppedSpans: number) {
  return new AttributeList()
    .name(ATTR_SERVICE_NAME, service)
    .text(ATTR_TELEMETRY_SDK_NAME, 'tokenfuse')
    .text(ATTR_TELEMETRY_SDK_LANGUAGE, 'nodejs')
    .text(ATTR_TELEMETRY_SDK_VERSION, VERSION)
    .text(ATTR_GUARD_ID, guardId)
    .count(ATTR_DROPPED_SPANS, droppedSpans > 0 ? droppedSpans : null).attributes
}
