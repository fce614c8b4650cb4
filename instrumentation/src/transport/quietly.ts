import { AsyncLocalStorage } from 'node:async_hooks'

/** Where every copy of @opentelemetry/api 1.x keeps what was registered: reading it there needs no copy of ours. */
const OPENTELEMETRY_API = Symbol.for('opentelemetry.js.api.1')
/** The key by which the OpenTelemetry SDK and its instrumentations know that a request is not to be traced. */
const SUPPRESS_TRACING = Symbol.for('OpenTelemetry SDK Context Key SUPPRESS_TRACING')

type TraceContext = { setValue(key: symbol, value: unknown): TraceContext }
type ContextManager = {
  active(): TraceContext
  with<Result>(context: TraceContext, work: () => Result): Result
}

/** Taken when the preload starts, before the app has any context that a long-lived socket could hold on to. */
let outsideOfTheApp: ReturnType<typeof AsyncLocalStorage.snapshot> | null = null

/**
 * Runs `work` so that the app does not see it: outside the app's async contexts, which sockets and timers would
 * otherwise keep alive, and with tracing suppressed, so that no span of the app's is made of our own requests.
 */
export function quietly<Result>(work: () => Result): Result {
  outsideOfTheApp ??= AsyncLocalStorage.snapshot()
  return outsideOfTheApp(() => {
    const manager = contextManager()
    const context = manager === null ? null : suppressed(manager)
    return manager === null || context === null ? work() : manager.with(context, work)
  })
}

function contextManager(): ContextManager | null {
  const api = Reflect.get(globalThis, OPENTELEMETRY_API) as { context?: ContextManager } | undefined
  return api?.context ?? null
}

function suppressed(manager: ContextManager): TraceContext | null {
  try {
    return manager.active().setValue(SUPPRESS_TRACING, true)
  } catch {
    return null // A context manager of the app that throws is no reason to send nothing.
  }
}
