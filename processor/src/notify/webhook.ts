import { type Notification, parseScopeKey } from '@tokenfuse/protocol'

const TIMEOUT_MS = 10_000
/** What a server says about a refusal is not read further. */
const MAX_REASON = 200

/** What became of one attempt. `reason` is for people, and never has the address. */
export type Attempt =
  | { readonly outcome: 'sent' }
  | { readonly outcome: 'rejected'; readonly reason: string }
  | { readonly outcome: 'failed'; readonly reason: string; readonly retryAfterMs: number | null }

/**
 * Posts a notification as JSON, with the `text` that Slack and its likes show. Never throws.
 * @param closing gives up at once
 */
export async function postWebhook(
  url: string,
  notification: Notification,
  closing: AbortSignal,
): Promise<Attempt> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': notification.id },
      body: JSON.stringify({ text: chatText(notification), tokenfuse: notification }),
      signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), closing]),
      redirect: 'manual',
    })
    await response.body?.cancel()
    if (response.ok) return { outcome: 'sent' }
    const reason = `the webhook answered ${response.status}`
    const mayRecover = response.status >= 500 || response.status === 429 || response.status === 408
    if (!mayRecover) return { outcome: 'rejected', reason }
    return { outcome: 'failed', reason, retryAfterMs: retryAfterMs(response) }
  } catch (error) {
    return { outcome: 'failed', reason: reasonOf(error), retryAfterMs: null }
  }
}

/** As chats show it. Names in it come from outside: `<!channel>` in one must not call everybody. */
function chatText({ severity, text, action, scope }: Notification): string {
  const [agent] = parseScopeKey(scope).filter(([dimension]) => dimension === 'agent')
  const isToInvestigate = action === 'investigate_agent' && agent !== undefined
  const hint = isToInvestigate ? ` (tokenfuse report --agent ${JSON.stringify(agent[1])})` : ''
  return `[${severity}] ${text}${hint}`
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
}

/** The code of what went wrong: messages may have the address, which may be a secret. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : null
  const name = error instanceof Error ? error.name : 'unknown error'
  const text = typeof code === 'string' ? code : name
  return `the webhook cannot be reached: ${text.slice(0, MAX_REASON)}`
}

function retryAfterMs({ headers }: Response): number | null {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN)
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : null
}
