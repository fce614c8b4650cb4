import { type ErrorCode, TokenfuseError } from '@tokenfuse/protocol'

const STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  bad_request: 400,
  otlp_malformed: 400,
  unauthorized: 401,
  policy_invalid: 400,
  not_found: 404,
  policy_outdated: 409,
  otlp_too_large: 413,
  otlp_unsupported: 415,
  not_ready: 503,
  overloaded: 503,
  log_unavailable: 503,
}

/** After how long a sender should try again, where that helps. */
const RETRY_AFTER_S = '1'

export type HttpFailure = {
  readonly status: number
  readonly code: ErrorCode | 'internal'
  readonly message: string
  readonly fix: string | null
  readonly headers: Readonly<Record<string, string>>
}

/** What to answer for something that was thrown. What is no error of ours tells nothing of itself. */
export function httpFailure(error: unknown): HttpFailure {
  if (!TokenfuseError.isInstance(error)) {
    const message = 'the processor failed at this request'
    return { status: 500, code: 'internal', message, fix: null, headers: {} }
  }
  const { code, message, fix } = error
  const status = STATUS[code] ?? 500
  const headers: Record<string, string> = {}
  if (status === 503) headers['retry-after'] = RETRY_AFTER_S
  if (status === 401) headers['www-authenticate'] = 'Bearer'
  // What is left of a body that is too large is not read.
  if (status === 413) headers['connection'] = 'close'
  return { status, code, message, fix, headers }
}

/** The failure as the control API tells it. */
export function jsonFailure(failure: HttpFailure): Response {
  const { status, code, message, fix, headers } = failure
  return Response.json({ error: { code, message, fix } }, { status, headers })
}
