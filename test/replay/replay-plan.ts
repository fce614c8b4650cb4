import type { RecordedRun } from './recording.ts'

/** What one process of the replay has to do. */
export type ReplayPlan = {
  readonly runs: readonly ReplayRun[]
  /** Runs under way at once. */
  readonly concurrency: number
  readonly baseUrl: string
  readonly model: string
  readonly streams: boolean
}

export type ReplayRun = RecordedRun & {
  /** The first call to make; those before it were made by a process that is gone. */
  readonly from: number
}

/** Names a call at the stand-in. */
export function labelOf(run: string, call: number): string {
  return `${encodeURIComponent(run)}#${call}`
}
