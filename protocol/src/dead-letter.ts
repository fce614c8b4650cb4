import type { ErrorCode } from './errors.ts'

/** Input that could not be counted, kept whole so that it can be replayed. */
export type DeadLetter = {
  readonly tenant: string
  /** Where it came from, such as `http:/v1/traces` or `kafka:otlp_spans/3@1234`. */
  readonly source: string
  readonly code: ErrorCode
  readonly message: string
  /** The bytes as they came, or the one span of them that is wrong. */
  readonly payload: Uint8Array
  readonly contentType: string
}
