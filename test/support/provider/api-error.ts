import type { Family } from './models.ts'

/** A refusal in the words of the real provider. Never billed. */
export class ApiError extends Error {
  readonly status: number
  /** OpenAI's `type`, also the source of Anthropic's (by status). */
  readonly type: string
  readonly code: string | null
  readonly parameter: string | null

  constructor(
    status: number,
    message: string,
    details: { type?: string; code?: string; parameter?: string } = {},
  ) {
    super(message)
    this.status = status
    this.type = details.type ?? 'invalid_request_error'
    this.code = details.code ?? null
    this.parameter = details.parameter ?? null
  }
}

const ANTHROPIC_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  500: 'api_error',
  529: 'overloaded_error',
}

export function errorBody(family: Family, error: ApiError, requestId: string): string {
  if (family === 'anthropic') {
    return JSON.stringify({
      type: 'error',
      error: { type: anthropicErrorType(error.status), message: error.message },
      request_id: requestId,
    })
  }
  const { message, type, parameter: param, code } = error
  return JSON.stringify({ error: { message, type, param, code } })
}

export function anthropicErrorType(status: number): string {
  return ANTHROPIC_TYPES[status] ?? 'api_error'
}

/** What the providers say for a status that a fault asks for. */
export function statusError(status: number): ApiError {
  if (status === 429) {
    return new ApiError(429, 'Rate limit reached for requests', {
      type: 'requests',
      code: 'rate_limit_exceeded',
    })
  }
  if (status === 529 || status === 503) {
    return new ApiError(status, 'Overloaded', { type: 'server_error', code: 'overloaded' })
  }
  if (status >= 500) {
    return new ApiError(status, 'The server had an error while processing your request', {
      type: 'server_error',
    })
  }
  return new ApiError(status, `The stand-in was asked to answer ${status}`)
}
