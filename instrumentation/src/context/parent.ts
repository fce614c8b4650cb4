import { ATTR_USAGE_COUNTED } from '@tokenfuse/protocol/names'
import { isSpanContextValid, trace } from '@opentelemetry/api'
import { currentAgentContext, inheritedTrace } from './agent-context.ts'
import { newTraceId } from './trace-ids.ts'

/** Where a new call stands. */
export type CallParent = { readonly traceId: string; readonly parentSpanId: string | null }

/**
 * The app's active span if there is one, else the `withAgent` around the call, else the process that started this one,
 * else nothing: the call is a trace of its own.
 */
export function currentParent(): CallParent {
  const active = trace.getActiveSpan()?.spanContext()
  const parent =
    active !== undefined && isSpanContextValid(active)
      ? active
      : (currentAgentContext()?.trace ?? inheritedTrace())
  if (parent === null) return { traceId: newTraceId(), parentSpanId: null }
  return { traceId: parent.traceId, parentSpanId: parent.spanId }
}

/**
 * Tells the meter that the usage below the active span is reported already, so that an instrumentation of the app
 * which writes usage on that span does not make the call count twice.
 */
export function markParentCounted(): void {
  trace.getActiveSpan()?.setAttribute(ATTR_USAGE_COUNTED, true)
}
