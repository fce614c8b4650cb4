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
  }
}
