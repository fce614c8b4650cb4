import {
  type Caller,
  type Charge,
  CHARGE_KINDS,
  CRITICALITIES,
  PRICED,
  USAGE_PART_KINDS,
  USAGE_SOURCES,
  type UsageEvent,
  type Verdict,
} from '@tokenfuse/protocol'
import {
  beginsLike,
  type Check,
  isListOf,
  isMapOf,
  isNullOr,
  isObjectOf,
  isOneOf,
  isText,
  isTextOrNull,
} from '../../value-checks.ts'

type ChargeKind = Pick<Charge, 'kind' | 'part' | 'model' | 'unit'>
type VerdictKind = Pick<Verdict, 'action' | 'basis'>

/** What calls of one agent mostly have in common, so that it is read once and not with each. */
export type CallKind = Pick<
  UsageEvent,
  | ('tenant' | 'agent' | 'taskType' | 'difficulty' | 'service' | 'tags' | 'criticality')
  | ('provider' | 'operation' | 'requestModel' | 'originalModel' | 'responseModel')
  | ('serviceTier' | 'priceVersion' | 'priced' | 'source')
> & {
  readonly callers: readonly Caller[] | null
  readonly verdict: VerdictKind | null
  readonly charges: readonly ChargeKind[]
}

/** As the log holds it, in this order. */
type KindValues = readonly [
  ...[tenant: string, agent: string, taskType: string | null, difficulty: string | null],
  ...[service: string, tags: CallKind['tags'], criticality: CallKind['criticality']],
  ...[provider: string, operation: string, requestModel: string, originalModel: string | null],
  ...[responseModel: string | null, serviceTier: string | null, priceVersion: string],
  ...[priced: CallKind['priced'], source: CallKind['source'], callers: CallKind['callers']],
  ...[action: string | null, basis: VerdictKind['basis'] | null],
  charges: readonly ChargeValues[],
]
type ChargeValues = readonly [Charge['kind'], Charge['part'], model: string, Charge['unit']]

const isChargeValues: Check = (value) =>
  Array.isArray(value) && value.length === CHARGE_FORM.length && beginsLike(value, CHARGE_FORM)
const CHARGE_FORM: readonly Check[] = [
  ...[isOneOf(CHARGE_KINDS), isOneOf(USAGE_PART_KINDS), isText, isOneOf(['token', 'request'])],
]
const FORM: readonly Check[] = [
  ...[isText, isText, isTextOrNull, isTextOrNull],
  ...[isText, isMapOf(isText), isOneOf(CRITICALITIES)],
  ...[isText, isText, isText, isTextOrNull],
  ...[isTextOrNull, isTextOrNull, isText],
  ...[isOneOf(PRICED), isOneOf(USAGE_SOURCES)],
  isNullOr(isListOf(isObjectOf({ agent: isText, task: isText }))),
  ...[isTextOrNull, isNullOr(isOneOf(['last_known', 'nothing']))],
  isListOf(isChargeValues),
]

export function kindText(event: UsageEvent): string {
  const { verdict } = event
  const charges = event.charges.map((charge): ChargeValues => {
    return [charge.kind, charge.part, charge.model, charge.unit]
  })
  const values: KindValues = [
    ...([event.tenant, event.agent, event.taskType, event.difficulty] as const),
    ...([event.service, event.tags, event.criticality] as const),
    ...([event.provider, event.operation, event.requestModel, event.originalModel] as const),
    ...([event.responseModel, event.serviceTier, event.priceVersion] as const),
    ...([event.priced, event.source, event.callers ?? null] as const),
    ...([verdict?.action ?? null, verdict?.basis ?? null] as const),
    charges,
  ]
  return JSON.stringify(values)
}

/** @returns `null` where the values are not what `kindText` writes */
export function readKind(value: unknown): CallKind | null {
  if (!isKindValues(value)) return null
  const [tenant, agent, taskType, difficulty, service, tags, criticality, ...others] = value
  const [provider, operation, requestModel, originalModel, responseModel, ...more] = others
  const [serviceTier, priceVersion, priced, source, callers, action, basis, charges] = more
  return {
    ...{ tenant, agent, taskType, difficulty, service, criticality, provider, operation },
    ...{ requestModel, originalModel, responseModel, serviceTier, priceVersion, priced, source },
    // Every event of this kind has the same ones.
    tags: Object.freeze(tags),
    callers: callers && Object.freeze(callers.map((caller) => Object.freeze(caller))),
    verdict: action === null ? null : { action, ...(basis && { basis }) },
    charges: charges.map(([kind, part, model, unit]) => ({ kind, part, model, unit })),
  }
}

function isKindValues(value: unknown): value is KindValues {
  return Array.isArray(value) && value.length === FORM.length && beginsLike(value, FORM)
}
