/**
 * What can go wrong, as short texts: in the header `x-stand-in-fault`, in a scripted reply, after an `@` in the
 * model's name (`gpt-4o-mini@cut:20`), or by chance in the config. `xN` at the end limits it to the first N
 * attempts of a request, by the retry count that the SDKs send.
 *
 * | text | what happens | billed |
 * |---|---|---|
 * | `429`, `500`, `529`, any status | an error body; `429:0.2` retry after 0.2 s | nothing |
 * | `reset` | connection reset before headers | nothing |
 * | `cut:20` | connection reset once 20 tokens are out | input and 20 |
 * | `stall:20`, `stall:20:500` | silence after 20 tokens, for good or for 500 ms | what was generated |
 * | `error:20` | an error event after 20 tokens, then the end | input and 20 |
 * | `no-end:20` | the stream ends in good order after 20 tokens, without its last events | input and 20 |
 * | `wrong-length`, `wrong-length:-5` | content-length too large by 64, or by what is said | all |
 * | `slow:50` | 50 tokens a second | all |
 * | `delay:300` | 300 ms before the headers | all |
 */
export type Fault =
  | { readonly kind: 'status'; readonly status: number; readonly retryAfterMs: number | null }
  | { readonly kind: 'reset' }
  | { readonly kind: 'cut' | 'error' | 'no-end'; readonly afterTokens: number }
  | { readonly kind: 'stall'; readonly afterTokens: number; readonly forMs: number | null }
  | { readonly kind: 'wrong-length'; readonly byBytes: number }
  | { readonly kind: 'slow'; readonly tokensPerSecond: number }
  | { readonly kind: 'delay'; readonly forMs: number }

const SHAPE = /^([a-z-]+|\d{3})(?::(-?\d+(?:\.\d+)?))?(?::(\d+))?(?:x(\d+))?$/

/**
 * @param attempt 0 for the first, from the SDK's retry count
 * @returns null where the fault has had its attempts
 * @throws {Error} on a text that is no fault
 */
export function parseFault(text: string, attempt: number): Fault | null {
  const match = SHAPE.exec(text)
  if (!match) throw new Error(`no such fault: ${text}`)
  const [, name = '', first, second, times] = match
  const fault = faultNamed(name, numberOr(first, null), numberOr(second, null))
  if (!fault) throw new Error(`no such fault: ${text}`)
  return times !== undefined && attempt >= Number(times) ? null : fault
}

function faultNamed(name: string, first: number | null, second: number | null): Fault | null {
  if (/^\d{3}$/.test(name)) {
    const retryAfterMs = first === null ? null : Math.round(first * 1000)
    return { kind: 'status', status: Number(name), retryAfterMs }
  }
  switch (name) {
    case 'reset':
      return { kind: 'reset' }
    case 'cut':
    case 'error':
    case 'no-end':
      return { kind: name, afterTokens: first ?? Infinity }
    case 'stall':
      return { kind: 'stall', afterTokens: first ?? 0, forMs: second }
    case 'wrong-length':
      return { kind: 'wrong-length', byBytes: first ?? 64 }
    case 'slow':
      return { kind: 'slow', tokensPerSecond: first ?? 50 }
    case 'delay':
      return { kind: 'delay', forMs: first ?? 100 }
    default:
      return null
  }
}

function numberOr(text: string | undefined, otherwise: number | null): number | null {
  return text === undefined ? otherwise : Number(text)
}
