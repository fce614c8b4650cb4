import type { DeadLetter } from '@tokenfuse/protocol'
import type { NewRecord } from './record-writer.ts'

/** More of a payload than this is not kept, so that every letter fits into one batch. */
const MAX_PAYLOAD_BYTES = 8 * 1024 ** 2

/** A dead letter as `tokenfuse.dead-letters` holds it: the bytes as they came, what is known of them in headers. */
export function deadLetterRecord(letter: DeadLetter): NewRecord {
  const { tenant, source, code, message, contentType, payload } = letter
  const isCut = payload.byteLength > MAX_PAYLOAD_BYTES
  return {
    key: source,
    value: isCut ? payload.subarray(0, MAX_PAYLOAD_BYTES) : payload,
    headers: {
      tenant,
      code,
      message: message.slice(0, 4096).toWellFormed(),
      'content-type': contentType,
      ...(isCut && { 'cut-from-bytes': String(payload.byteLength) }),
    },
  }
}
