import {
  type Decision,
  decisionKey,
  DEFAULT_TENANT,
  type LiftAnswer,
  TokenfuseError,
} from '@tokenfuse/protocol'
import { z } from 'zod'
import type { ApiContext } from './context.ts'
import { operatorFields } from './requests.ts'

/** The body of `POST /v1/decisions/{id}/lift`. */
export const liftRequestSchema = z.object(operatorFields)

/**
 * Lets go of what a detection or a rule has stopped.
 * @throws TokenfuseError `not_found`, or `bad_request` where a budget has stopped it
 */
export async function lift(
  { loop }: ApiContext,
  id: string,
  { reason, by }: z.output<typeof liftRequestSchema>,
): Promise<LiftAnswer> {
  const { governor } = loop
  const known = governor.decision(id)
  if (known?.budget) throw ofBudget(known, known.budget)
  const inForce = known && governor.decisions().find((decision) => isSame(decision, known))
  if (!inForce) {
    throw new TokenfuseError('not_found', `no decision "${id}" is in force`, {
      fix: 'See "tokenfuse status" for those that are.',
    })
  }
  const [entry] = await loop.submit([
    { type: 'decision.lift', v: 1, tenant: DEFAULT_TENANT, decision: id, reason, by },
  ])
  const { scope, rule, action } = inForce
  return { offset: entry?.offset ?? 0, decision: inForce.id, scope, rule, action }
}

const isSame = (one: Decision, two: Decision) => decisionKey(one) === decisionKey(two)

function ofBudget({ id, scope }: Decision, budget: string): TokenfuseError {
  const where = scope === '*' ? '' : ` --scope ${scope}`
  return new TokenfuseError('bad_request', `decision "${id}" is that of budget "${budget}"`, {
    fix: `Raise its limit for a while: tokenfuse override ${budget} AMOUNT${where} --reason TEXT`,
  })
}
