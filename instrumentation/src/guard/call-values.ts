import { UNKNOWN } from '@tokenfuse/protocol/names'
import type { DimensionValues } from '@tokenfuse/protocol/names'
import type { Attribution } from '../telemetry/call-record.ts'

/** A call in every dimension, as the governor will see it in the usage event: the same names for the same call. */
export function callValues(
  attribution: Attribution,
  provider: string,
  requestModel: string,
): DimensionValues {
  const { stepIndex, stepName } = attribution
  return {
    tenant: attribution.tenant,
    agent: attribution.agent,
    task: attribution.task,
    taskType: attribution.taskType ?? UNKNOWN,
    step: stepName ?? (stepIndex === null ? UNKNOWN : String(stepIndex)),
    user: attribution.user,
    session: attribution.session,
    model: requestModel,
    provider,
    service: attribution.service,
    tags: attribution.tags,
    callers: attribution.callers,
  }
}

/**
 * What tells the step of a call from others: agent, task, session, and number or name. `null` where the call names no
 * step, or neither task nor session: it is a step of its own, as the governor counts it.
 */
export function stepKey(attribution: Attribution): string | null {
  const { agent, task, session, stepIndex, stepName } = attribution
  if (stepIndex === null && stepName === null) return null
  if (task === UNKNOWN && session === UNKNOWN) return null
  return [agent, task, session, String(stepIndex), stepName ?? ''].join('\u0000')
}
