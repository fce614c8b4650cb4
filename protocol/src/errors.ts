/** Every error code, once. `docs/errors.md` is generated from this list. */
export const ERROR_CODES = {
  policy_invalid: 'The policy file does not hold; nothing of it was applied.',
  policy_outdated: 'The policy was made from a version that is no longer in force.',
  policy_unreadable: 'The policy file could not be read.',
  money_invalid: 'A text is no amount of money, or is finer than a pico-USD.',
  tokens_invalid: 'Token counts break the invariant input = uncached + cache read + cache write.',
  otlp_malformed: 'A telemetry payload is not valid OTLP.',
  otlp_too_large: 'A telemetry payload is larger than the receiver accepts.',
  otlp_unsupported:
    'A telemetry payload has a content type or encoding that the receiver does not read.',
  usage_invalid: 'A span claims usage that cannot be true.',
  span_too_late: 'A span is older than the horizon in which duplicates can be recognised.',
  unauthorized: 'The token is missing or wrong.',
  not_found: 'There is nothing under this name.',
  bad_request: 'The request does not hold what this address needs.',
  not_ready: 'The processor still reads its log; it answers in a moment.',
  overloaded: 'The processor has as much work as it can hold.',
  log_unavailable: 'The event log cannot be written.',
  log_corrupt: 'The event log holds something that cannot be read.',
  log_mismatch: 'The stored state was made from another event log.',
  kafka_settings: 'The settings for Kafka do not hold.',
  kafka_topics: 'A topic of Kafka is missing, or is not as it has to be.',
  state_version: 'The stored state was written by a version that this one cannot read.',
  already_running: 'Another processor already uses this data folder.',
  address_in_use: 'Another process already listens on this address.',
  not_loopback: 'The address is reachable from outside this machine.',
  url_invalid: 'An address is not one that can be spoken to.',
  processor_unreachable: 'No processor answers.',
  runtime_too_old: 'This version of Node is too old.',
  file_unreadable: 'A file could not be read.',
  command_not_found: 'There is no command of this name to run.',
  command_not_runnable: 'The command cannot be run.',
  response_unrecognised: 'The recorded response is in no format that tokenfuse knows.',
  budget_exceeded: 'A budget is used up and the call was refused.',
} as const

export type ErrorCode = keyof typeof ERROR_CODES

export type TokenfuseErrorOptions = {
  /** What to do about it, as a full sentence. */
  readonly fix?: string
  readonly retryable?: boolean
  readonly cause?: unknown
}

/** An error with a stable code, what happened (`message`) and what to do about it (`fix`). */
export class TokenfuseError extends Error {
  override readonly name = 'TokenfuseError'
  readonly code: ErrorCode
  readonly fix: string | null
  readonly retryable: boolean

  constructor(code: ErrorCode, message: string, options: TokenfuseErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.fix = options.fix ?? null
    this.retryable = options.retryable ?? false
  }

  /** Recognises the error also when it comes from another copy of this package. */
  static isInstance(value: unknown): value is TokenfuseError {
    return value instanceof Error && value.name === 'TokenfuseError' && 'code' in value
  }
}
