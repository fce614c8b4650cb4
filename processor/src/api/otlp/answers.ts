import type { OtlpEncoding } from '../../meter/decode-traces.ts'
import type { HttpFailure } from '../errors.ts'

const CONTENT_TYPES: Readonly<Record<OtlpEncoding, string>> = {
  protobuf: 'application/x-protobuf',
  json: 'application/json',
}

/** The encoding that a content type names; `null` for one that OTLP does not know. */
export function encodingOf(contentType: string | undefined): OtlpEncoding | null {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase()
  if (type === CONTENT_TYPES.protobuf) return 'protobuf'
  return type === CONTENT_TYPES.json ? 'json' : null
}

/** An Export…ServiceResponse. What was rejected is told, and must not be sent again. */
export function exportAnswer(encoding: OtlpEncoding, rejected: number, message: string): Response {
  if (encoding === 'json') {
    const partial = { partialSuccess: { rejectedSpans: String(rejected), errorMessage: message } }
    return Response.json(rejected === 0 ? {} : partial)
  }
  // ExportTraceServiceResponse { partial_success = 1: { rejected_spans = 1, error_message = 2 } }
  const partial = [...varintField(1, rejected), ...bytesField(2, Buffer.from(message))]
  const body = rejected === 0 ? [] : bytesField(1, partial)
  return protobuf(200, body, {})
}

// https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
const RPC_CODES: Readonly<Record<number, number>> = {
  400: 3, // INVALID_ARGUMENT
  401: 16, // UNAUTHENTICATED
  413: 8, // RESOURCE_EXHAUSTED
  415: 3,
  503: 14, // UNAVAILABLE
}
const RPC_INTERNAL = 13

/** A failure as OTLP wants it: a google.rpc.Status in the encoding of the request. */
export function otlpFailure(encoding: OtlpEncoding, failure: HttpFailure): Response {
  const { status, headers } = failure
  const code = RPC_CODES[status] ?? RPC_INTERNAL
  const text = `${failure.code}: ${failure.message}`
  const message = failure.fix === null ? text : `${text}. ${failure.fix}`
  if (encoding === 'json') return Response.json({ code, message }, { status, headers })
  return protobuf(
    status,
    [...varintField(1, code), ...bytesField(2, Buffer.from(message))],
    headers,
  )
}

function protobuf(
  status: number,
  body: readonly number[],
  headers: Readonly<Record<string, string>>,
): Response {
  return new Response(Uint8Array.from(body), {
    status,
    headers: { ...headers, 'content-type': CONTENT_TYPES.protobuf },
  })
}

function varintField(field: number, value: number): number[] {
  return [field << 3, ...varint(value)]
}

function bytesField(field: number, value: Iterable<number>): number[] {
  const bytes = [...value]
  return [(field << 3) | 2, ...varint(bytes.length), ...bytes]
}

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  while (rest > 0x7f) {
    bytes.push((rest % 0x80) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  return [...bytes, rest]
}
