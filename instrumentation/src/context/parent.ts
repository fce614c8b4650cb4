import { ATTR_USAGE_COUNTED } from '@tokenfuse/protocol/names'
import { isSpanContextValid, trace } from '@opentelemetry/api'
import { currentAgentContext, inheritedTrace } from './agent-context.ts'
import { newTraceId } from './trace-ids.ts'

/** Where a new call stands. */
export type CallParent = { readonly traceId: string; readonly parentSpanId: string | null }

/** `isGiven` says whether its trace is one of the app, or of who started it, and not one that was made up here. */
export type CurrentParent = { readonly parent: CallParent; readonly isGiven: boolean }

/**
 * The app's active span if there is one, else the `withAgent` around the call, else the process that started this one,
 * else nothing: the call is a trace of its own.
 */
export function currentParent(): CurrentParent {
  const active = trace.getActiveSpan()?.spanContext()
  const isActive = active !== undefined && isSpanContextValid(active)
  const inherited = inheritedTrace()
  const parent = isActive ? active : (currentAgentContext()?.trace ?? inherited)
  const isGiven = isActive || inherited !== null
  if (parent === null) return { parent: { traceId: newTraceId(), parentSpanId: null }, isGiven }
  return { parent: { traceId: parent.traceId, parentSpanId: parent.spanId }, isGiven }
}

/**
 * Tells the meter that the usage below the active span is reported already, so that an instrumentation of the app
 * which writes usage on that span does not make the call count twice.
 */
export function markParentCounted(): void {
  trace.getActiveSpan()?.setAttribute(ATTR_USAGE_COUNTED, true)
}
