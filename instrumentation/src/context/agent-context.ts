import { AsyncLocalStorage } from 'node:async_hooks'
import { ENV_TRACEPARENT, MAX_CALLERS } from '@tokenfuse/protocol/names'
import { readIdentity } from './identity.ts'
import type { AgentIdentity, KnownIdentity } from './identity.ts'
import { newSpanId, newTraceId, parseTraceparent } from './trace-ids.ts'
import type { TraceParent } from './trace-ids.ts'

/**
 * What holds inside of a `withAgent`. The preload is a bundle and the app imports the library: two copies of this
 * code, perhaps of two versions, which meet in one store. So this is a contract: fields are only ever added.
 */
export type AgentContext = {
  readonly identity: KnownIdentity
  /** The scope itself as a place in a trace: calls without a span of the app hang below it. */
  readonly trace: TraceParent
  /** The scopes around it, outermost first, as far as they name agent or task; absent in contexts of older copies. */
  readonly outer?: readonly OuterScope[]
}

export type OuterScope = Pick<KnownIdentity, 'agent' | 'task'>

const STORE = Symbol.for('tokenfuse.context')
type Holder = { [STORE]?: AsyncLocalStorage<AgentContext> }

function contextStore(): AsyncLocalStorage<AgentContext> {
  const holder = globalThis as Holder
  return (holder[STORE] ??= new AsyncLocalStorage<AgentContext>())
}

export function currentAgentContext(): AgentContext | undefined {
  return contextStore().getStore()
}

/**
 * Runs `fn` and attributes every model call that it makes, also later and also in what it starts, to this agent, task
 * and so on. Inside of another `withAgent` the fields left out are inherited, and the calls belong to the same trace.
 * Returns what `fn` returns.
 */
export function withAgent<Result>(identity: AgentIdentity, fn: () => Result): Result {
  return contextStore().run(nestedContext(identity), fn)
}

let inherited: TraceParent | null | undefined

/** Where this process stands in the trace of the one that started it, as `TRACEPARENT` says. */
export function inheritedTrace(): TraceParent | null {
  if (inherited === undefined) inherited = parseTraceparent(process.env[ENV_TRACEPARENT])
  return inherited
}

function nestedContext(identity: AgentIdentity): AgentContext {
  const outer = currentAgentContext()
  const own = readIdentity(identity ?? {})
  const merged = { ...outer?.identity, ...own }
  if (own.tags !== undefined) merged.tags = { ...outer?.identity.tags, ...own.tags }
  const traceId = outer?.trace.traceId ?? inheritedTrace()?.traceId ?? newTraceId()
  const around = outer && (outer.identity.agent ?? outer.identity.task) !== undefined ? [outer] : []
  const outers = [
    ...(outer?.outer ?? []),
    ...around.map(({ identity: { agent, task } }) => named(agent, task)),
  ]
  return {
    identity: merged,
    trace: { traceId, spanId: newSpanId() },
    outer: outers.slice(0, MAX_CALLERS),
  }
}

function named(agent: string | undefined, task: string | undefined): OuterScope {
  return { ...(agent !== undefined && { agent }), ...(task !== undefined && { task }) }
}
