import type { Endpoint } from '../providers/index.ts'
import type { Refusal } from './guard.ts'

/** The decision's id, for whoever handles the error. */
export const DECISION_HEADER = 'x-tokenfuse-decision'

/** A refusal as it looks to the app: the answer that its provider would give. */
export type RefusalOnWire = {
  readonly status: number
  readonly statusText: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * Puts a refusal in the provider's own error format. Clients made by Stainless (they send `x-stainless-*`) obey
 * `x-should-retry`, and callers above them take `insufficient_quota` as final; other clients retry every 429, so for
 * them the end is a 403. A call that may come back later is a plain 429 with `retry-after`.
 */
export function refusalOnWire(
  refusal: Refusal,
  dialect: Endpoint['dialect'],
  isStainlessClient: boolean,
): RefusalOnWire {
  const later = refusal.retryAfterMs
  const status = later !== null || isStainlessClient ? 429 : 403
  const code = later === null ? 'insufficient_quota' : 'rate_limit_exceeded'
  const error = dialect === 'anthropic.messages' ? anthropicError : openaiError
  return {
    status,
    statusText: status === 403 ? 'Forbidden' : 'Too Many Requests',
    headers: {
      'content-type': 'application/json',
      [DECISION_HEADER]: headerText(refusal.decisionId),
      ...(later === null ? { 'x-should-retry': 'false' } : retryHeaders(later)),
    },
    body: JSON.stringify(error(status, code, messageOf(refusal))),
  }
}

function openaiError(_status: number, code: string, message: string) {
  return { error: { message, type: code, param: null, code } }
}

/** `code` is not Anthropic's: it is there for those that look for it whatever the provider. */
function anthropicError(status: number, code: string, message: string) {
  const type = status === 403 ? 'permission_error' : 'rate_limit_error'
  return { type: 'error', error: { type, message, code } }
}

function messageOf({ reason, decisionId, budget, action }: Refusal): string {
  const which = budget === null ? '' : `, budget ${budget}`
  return `tokenfuse refused this call (${action}): ${reason} (decision ${decisionId}${which})`
}

function retryHeaders(retryAfterMs: number): Record<string, string> {
  return {
    'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1000))),
    'retry-after-ms': String(Math.ceil(retryAfterMs)),
  }
}

const headerText = (text: string) => text.replace(/[^\x20-\x7e]/g, '?')
