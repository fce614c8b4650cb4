import { decodeJson } from './decode-json.ts'
import { decodeProtobuf } from './decode-protobuf.ts'
import type { SpanBatch } from './span-batch.ts'

export type OtlpEncoding = 'protobuf' | 'json'

/**
 * Reads an OTLP trace export request, uncompressed.
 * @throws TokenfuseError `otlp_malformed`, which names the place, where the payload as a whole cannot be read. Spans
 *   that are wrong one by one are marked in the batch instead.
 */
export function decodeTraces(body: Uint8Array, encoding: OtlpEncoding): SpanBatch {
  return encoding === 'protobuf' ? decodeProtobuf(body) : decodeJson(body)
}
