import type { Charge, UsageEvent, Verdict } from '@tokenfuse/protocol'
import type { CallKind } from './call-kind.ts'
import { CHARGES_AT, type OwnValues } from './own-values.ts'

/** The call of a kind that has these values of its own. */
export function buildEvent(kind: CallKind, own: OwnValues): UsageEvent {
  const event: UsageEvent = {
    type: 'usage',
    v: 1,
    tenant: kind.tenant,
    time: own[0],
    durationMs: own[1],
    traceId: own[2],
    spanId: own[3],
    parentSpanId: own[4],
    guard: own[5],
    responseId: own[6],
    agent: kind.agent,
    task: own[7],
    taskType: kind.taskType,
    difficulty: kind.difficulty,
    step: own[8],
    stepName: own[9],
    user: own[10],
    session: own[11],
    service: kind.service,
    tags: kind.tags,
    criticality: kind.criticality,
    provider: kind.provider,
    operation: kind.operation,
    requestModel: kind.requestModel,
    originalModel: kind.originalModel,
    responseModel: kind.responseModel,
    serviceTier: kind.serviceTier,
    tokens: {
      input: own[12],
      cacheRead: own[13],
      cacheWrite: own[14],
      cacheWrite1h: own[15],
      output: own[16],
      reasoning: own[17],
    },
    charges: chargesOf(kind, own),
    costPicoUsd: own[18],
    priceVersion: kind.priceVersion,
    priced: kind.priced,
    source: kind.source,
    error: own[19],
    toolCallKeys: own[20],
    toolResultKeys: own[21],
    verdict: verdictOf(kind, own),
    savings: own[26],
  }
  const systemTokens = own[CHARGES_AT + 2 * kind.charges.length]
  if (typeof systemTokens === 'number') event.systemTokens = systemTokens
  if (kind.callers !== null) event.callers = kind.callers
  return event
}

function chargesOf({ charges }: CallKind, own: OwnValues): Charge[] {
  const result: Charge[] = []
  for (let index = 0; index < charges.length; index++) {
    const { kind, part, model, unit } = charges[index] as CallKind['charges'][number]
    const quantity = own[CHARGES_AT + index * 2] as number
    const picoUsd = own[CHARGES_AT + index * 2 + 1] as string
    result.push({ kind, part, model, quantity, unit, picoUsd })
  }
  return result
}

function verdictOf({ verdict: kind }: CallKind, own: OwnValues): Verdict | null {
  if (kind === null) return null
  const verdict: Verdict = {
    action: kind.action,
    reserve: own[22],
    cap: own[23],
    decision: own[24],
  }
  if (kind.basis !== undefined) verdict.basis = kind.basis
  if (own[25] !== null) verdict.refusal = own[25]
  return verdict
}
