import type { TaskOutcome } from '@tokenfuse/protocol/names'

/** Tells the processor that a task is over. */
export type TaskEnd = {
  readonly task: string
  readonly outcome: TaskOutcome
  /** Who worked on it; the processor knows the task without. */
  readonly agent?: string | undefined
  readonly taskType?: string | undefined
}

/**
 * What a started preload leaves for the other copies of this package in the same process: that it is there, and a way
 * to it. Like the context store a contract between versions.
 */
export type PreloadRuntime = {
  readonly version: string
  endTask(end: TaskEnd): Promise<void>
}

const RUNTIME = Symbol.for('tokenfuse.preload')
type Holder = { [RUNTIME]?: PreloadRuntime }

export function preloadRuntime(): PreloadRuntime | undefined {
  return (globalThis as Holder)[RUNTIME]
}

export function announcePreload(runtime: PreloadRuntime): void {
  Object.defineProperty(globalThis, RUNTIME, { value: runtime, configurable: true })
}
