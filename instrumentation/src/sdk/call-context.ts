import { context, trace, TraceFlags } from '@opentelemetry/api'

/** Runs `send` as if the span of a call were the active one, which no tracer of OpenTelemetry knows. */
export function withinCall<Result>(
  { traceId, spanId }: { readonly traceId: string; readonly spanId: string },
  send: () => Result,
): Result {
  // What the app's sampler has said of the trace holds for what hangs below the call too.
  const traceFlags = trace.getActiveSpan()?.spanContext().traceFlags ?? TraceFlags.SAMPLED
  const spanContext = { traceId, spanId, traceFlags }
  return context.with(trace.setSpanContext(context.active(), spanContext), send)
}
