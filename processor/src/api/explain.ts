import { type ExplainAnswer, TokenfuseError } from '@tokenfuse/protocol'
import type { ApiContext } from './context.ts'

/**
 * Why something was decided: a decision of the governor, or a call that a guard refused by itself.
 * @throws TokenfuseError `not_found`
 */
export async function explain({ loop, log }: ApiContext, id: string): Promise<ExplainAnswer> {
  const { governor } = loop
  await loop.applied(log.stats().headOffset)
  const logReachesBackTo = log.stats().firstOffset
  const decision = governor.decision(id)
  if (decision) {
    const inForce = governor.decisions().some((candidate) => candidate.id === id)
    const cause = await log.entry(decision.version)
    return { kind: 'decision', decision, inForce, cause, logReachesBackTo }
  }
  const call = await log.refusedCall(id)
  if (!call) {
    throw new TokenfuseError('not_found', `there is no decision or refusal "${id}"`, {
      fix: `Kept are the latest 10,000 decisions, and what guards refused as far back as the log reaches: entry ${logReachesBackTo}.`,
    })
  }
  const refusal = call.event.verdict?.refusal
  const budget = governor
    .budgets()
    .find((status) => status.budget === refusal?.budget && status.scope === refusal.scope)
  return { kind: 'refusal', id, call, budget: budget ?? null, logReachesBackTo }
}
