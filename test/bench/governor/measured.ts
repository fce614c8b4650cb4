/** What one process has measured of a governor, as it prints it. */
export type Measured = {
  /** Events a second of one thread. */
  readonly governor: number
  /** The same for what it is compared with. */
  readonly baseline: number
  readonly events: number
}

export type MeasuredMemory = { readonly bytesPerScope: number; readonly scopes: number }

/** Runs work and tells the seconds of this thread that it took, whoever else uses the machine. */
export function threadSeconds(work: () => void): number {
  const before = process.threadCpuUsage()
  work()
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / 1e6
}
