import type { EndReason, ResponseFacts } from '../providers/index.ts'

/** How a call went, as far as the anchor saw it. */
export type Ending =
  /** A response came; `facts` is `null` where its body could not be observed. */
  | {
      readonly kind: 'response'
      readonly statusCode: number | null
      readonly facts: ResponseFacts | null
      readonly reason: EndReason
    }
  /** No response came. `wasSent` is false where certainly nothing reached the provider. */
  | { readonly kind: 'no_response'; readonly error: string; readonly wasSent: boolean }

const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_INVALID_ARG',
  'ERR_INVALID_URL',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_HAS_EXPIRED',
])

/**
 * Reads what `fetch` rejected with.
 * @param isAborted the app gave the call up, perhaps with a reason of its own
 */
export function failureEnding(error: unknown, isAborted = false): Ending {
  if (isAborted || isAbort(error))
    return { kind: 'no_response', error: abortName(error), wasSent: true }
  const code = codeOf(error)
  const wasSent = code === null ? !isArgumentError(error) : !NEVER_SENT.has(code)
  return { kind: 'no_response', error: code ?? nameOf(error), wasSent }
}

/** What fetch rejects before it does anything has no cause; failures on the network have. */
function isArgumentError(error: unknown): boolean {
  return error instanceof TypeError && error.cause === undefined
}

/** Whether the app itself gave the call up, by signal or by deadline. */
export function isAbort(error: unknown): boolean {
  const name = nameOf(error)
  return name === 'AbortError' || name === 'TimeoutError'
}

const abortName = (error: unknown) => (nameOf(error) === 'TimeoutError' ? 'timeout' : 'aborted')

function codeOf(error: unknown): string | null {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = firstCause(at), depth++) {
    const { code } = at as { code?: unknown }
    if (typeof code === 'string' && code !== '') return code
  }
  return null
}

/** A host with several addresses fails with one error for each. */
function firstCause(error: Error): unknown {
  return error instanceof AggregateError ? error.errors[0] : error.cause
}

function nameOf(error: unknown): string {
  const name = (error as { name?: unknown } | null)?.name
  return typeof name === 'string' && name !== '' ? name : 'Error'
}
