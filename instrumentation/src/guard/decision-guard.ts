import { DecisionBook } from '@tokenfuse/protocol/names'
import type { Decision, StreamMessage, Verdict } from '@tokenfuse/protocol/names'
import type { Admission, Guard, GuardedCall, Refusal } from './guard.ts'

/** How long a throttled caller is told to wait where the decision does not say. */
const RETRY_AFTER_MS = 5_000

/** A guard that knows only decisions: what the governor decided for a scope holds for the next call in it. */
export class DecisionGuard implements Guard {
  readonly #book = new DecisionBook()

  /** Takes what the governor's stream sends. */
  receive(message: StreamMessage): void {
    this.#book.apply(message, performance.now())
  }

  admit(call: GuardedCall): Admission {
    const decision = this.#book.find(call.values, performance.now(), call.attribution.criticality)
    const verdict: Verdict = {
      action: decision?.action ?? 'allow',
      reserve: null,
      cap: null,
      decision: decision?.id ?? null,
    }
    const refusal = decision === null ? null : refusalOf(decision)
    return refusal === null
      ? { admit: true, verdict, admittedAtMs: null, reservation: null }
      : { admit: false, refusal, verdict, refusedAtMs: null }
  }

  settle(): void {
    // Nothing is ever reserved here.
  }
}

function refusalOf({ action, reason, id, budget, parameters }: Decision): Refusal | null {
  if (action === 'block' || action === 'kill') {
    return { action, reason, decisionId: id, budget, retryAfterMs: null }
  }
  if (action !== 'throttle' && action !== 'pause') return null
  const wanted = parameters['retryAfterMs']
  if (typeof wanted === 'number' && wanted > 0) {
    return { action, reason, decisionId: id, budget, retryAfterMs: wanted }
  }
  // A pause may last for hours, so an SDK that tries again soon only keeps its caller waiting.
  const retryAfterMs = action === 'pause' ? null : RETRY_AFTER_MS
  return { action, reason, decisionId: id, budget, retryAfterMs }
}
