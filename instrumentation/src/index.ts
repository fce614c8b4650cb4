import { preloadRuntime } from './runtime.ts'
import type { TaskEnd } from './runtime.ts'

export { withAgent } from './context/agent-context.ts'
export type { AgentIdentity } from './context/identity.ts'
export type { TaskEnd } from './runtime.ts'

/**
 * Tells the processor that a task is over and how, so that its budget can be closed. Never throws and need not be
 * awaited; the process stays alive for it for at most a second. Without the preload nothing happens.
 */
export async function endTask(end: TaskEnd): Promise<void> {
  await preloadRuntime()?.endTask(end)
}
