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
} from '@tokenfuse/protocol/names'
import { propagation } from '@opentelemetry/api'
import type { Baggage } from '@opentelemetry/api'
import type { Attribution } from '../telemetry/call-record.ts'
import { currentAgentContext } from './agent-context.ts'
import { readIdentity } from './identity.ts'
import type { KnownIdentity } from './identity.ts'

/**
 * Who is calling, asked when `fetch` is called. Field by field: what `withAgent` says, else what came in with the
 * request as W3C baggage, else the defaults of the process. The tenant is never taken from outside.
 */
export function currentAttribution(defaults: Attribution): Attribution {
  const own = currentAgentContext()?.identity
  const inbound = inboundIdentity()
  if (own === undefined && inbound === undefined) return defaults
  const tags = { ...defaults.tags, ...inbound?.tags, ...own?.tags }
  return { ...defaults, ...inbound, ...own, tags }
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
