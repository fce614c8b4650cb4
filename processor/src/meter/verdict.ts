import { type OwnRefusal, type Verdict, verdictSchema } from '@tokenfuse/protocol'
import { parseJson } from './json-text.ts'
import { boundedName } from './names.ts'
import type { SpanFields } from './span-fields.ts'

/** Scopes and reasons hold names of their own. */
const MAX_TEXT_LENGTH = 1024

const REFUSALS: ReadonlySet<string> = new Set(['throttle', 'pause', 'block', 'kill'])

/**
 * What the guard made of the call: its verdict, or what the decision's own attributes say of it; `null` where no guard
 * was asked. A verdict that cannot be read loses its figures, never the call's usage.
 */
export function readVerdict(fields: SpanFields): Verdict | null {
  const text = fields.text('verdict')
  const parsed = text === null ? null : verdictSchema.safeParse(parseJson(text))
  if (parsed?.success) {
    const { action, decision, reserve, cap, basis, refusal } = parsed.data
    return {
      action: boundedName(action),
      reserve,
      cap,
      decision: boundedText(decision),
      ...(basis && { basis }),
      ...(refusal && { refusal: boundedRefusal(refusal) }),
    }
  }
  const action = fields.name('decisionAction')
  if (action === null) return null
  return { action, reserve: null, cap: null, decision: fields.name('decisionId') }
}

export function refuses(verdict: Verdict | null): boolean {
  return verdict !== null && REFUSALS.has(verdict.action)
}

function boundedRefusal(refusal: OwnRefusal): OwnRefusal {
  const { reason, budget, scope } = refusal
  return {
    ...refusal,
    reason: boundedName(reason, MAX_TEXT_LENGTH),
    budget: boundedText(budget),
    scope: boundedText(scope, MAX_TEXT_LENGTH),
  }
}

const boundedText = (text: string | null, maxLength?: number) =>
  text === null ? null : boundedName(text, maxLength)
