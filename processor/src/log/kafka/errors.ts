import { TokenfuseError } from '@tokenfuse/protocol'

/**
 * What kafkajs threw on writing or asking, as an error of ours; an error of ours comes back as it is.
 * @param isRetried whether whoever asked does so again
 */
export function fromKafkaError(error: unknown, what: string, isRetried = true): TokenfuseError {
  if (TokenfuseError.isInstance(error)) return error
  const message = error instanceof Error ? error.message : String(error)
  return new TokenfuseError('log_unavailable', `${what}: ${message}`, {
    fix: `Look whether Kafka runs and can be reached${isRetried ? '; it is tried again' : ''}.`,
    retryable: true,
    cause: error,
  })
}
