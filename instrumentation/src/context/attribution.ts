import {
  ATTR_AGENT_NAME,
  ATTR_CONVERSATION_ID,
  ATTR_CRITICALITY,
  ATTR_SESSION_ID,
  ATTR_STEP_INDEX,
  ATTR_STEP_NAME,
  ATTR_TAG_PREFIX,
  ATTR_TASK_DIFFICULTY,
  ATTR_TASK_ID,
  ATTR_TASK_TYPE,
  ATTR_USER_ID,
  MAX_CALLERS,
  UNKNOWN,
} from '@tokenfuse/protocol/names'
import type { Caller } from '@tokenfuse/protocol/names'
import { propagation } from '@opentelemetry/api'
import type { Baggage } from '@opentelemetry/api'
import type { Attribution } from '../telemetry/call-record.ts'
import { currentAgentContext } from './agent-context.ts'
import type { OuterScope } from './agent-context.ts'
import { readIdentity } from './identity.ts'
import type { KnownIdentity } from './identity.ts'

/**
 * Who is calling, asked when `fetch` is called. Field by field: what `withAgent` says, else what came in with the
 * request as W3C baggage, else the defaults of the process. The tenant is never taken from outside.
 */
export function currentAttribution(defaults: Attribution): Attribution {
  const context = currentAgentContext()
  const own = context?.identity
  const inbound = inboundIdentity()
  if (own === undefined && inbound === undefined) return defaults
  const tags = { ...defaults.tags, ...inbound?.tags, ...own?.tags }
  const base = { ...defaults, ...inbound }
  const attribution = { ...base, ...own, tags }
  if (context === undefined) return attribution
  const callers = callersOf(attribution, base, context.outer ?? [])
  return callers.length === 0 ? attribution : { ...attribution, callers }
}

/**
 * For whom an agent works: who this process is by default or for the request that it serves, then each `withAgent`
 * around the innermost. Where nothing but the step changes it is the same agent on the same task.
 */
function callersOf(
  { agent, task }: Attribution,
  base: Attribution,
  outer: readonly OuterScope[],
): Caller[] {
  const callers: Caller[] = []
  const isSame = (a: Caller, b: Caller) => a.agent === b.agent && a.task === b.task
  for (const scope of [{}, ...outer]) {
    const caller = { agent: scope.agent ?? base.agent, task: scope.task ?? base.task }
    const isNobody = caller.agent === UNKNOWN && caller.task === UNKNOWN
    const isKnown = callers.some((known) => isSame(known, caller))
    if (!isNobody && !isKnown && !isSame(caller, { agent, task })) callers.push(caller)
  }
  return callers.slice(0, MAX_CALLERS)
}

function inboundIdentity(): KnownIdentity | undefined {
  const baggage = propagation.getActiveBaggage()
  return baggage === undefined ? undefined : fromBaggage(baggage)
}

function fromBaggage(baggage: Baggage): KnownIdentity | undefined {
  const value = (name: string) => baggage.getEntry(name)?.value
  const index = value(ATTR_STEP_INDEX)
  const stepName = value(ATTR_STEP_NAME)
  const step = {
    ...(index !== undefined && { index: Number(index) }),
    ...(stepName !== undefined && { name: stepName }),
  }
  const tags = Object.fromEntries(
    baggage
      .getAllEntries()
      .filter(([name]) => name.startsWith(ATTR_TAG_PREFIX))
      .map(([name, entry]) => [name.slice(ATTR_TAG_PREFIX.length), entry.value]),
  )
  return readIdentity({
    agent: value(ATTR_AGENT_NAME),
    task: value(ATTR_TASK_ID),
    taskType: value(ATTR_TASK_TYPE),
    step: Object.keys(step).length > 0 ? step : undefined,
    user: value(ATTR_USER_ID),
    session: value(ATTR_SESSION_ID) ?? value(ATTR_CONVERSATION_ID),
    difficulty: value(ATTR_TASK_DIFFICULTY),
    criticality: value(ATTR_CRITICALITY) as KnownIdentity['criticality'],
    tags,
  })
}
