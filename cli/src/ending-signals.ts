import { constants } from 'node:os'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
export type EndingSignal = (typeof SIGNALS)[number]

/** npm and other runners pass on a Ctrl-C that the terminal has told to everyone already. */
const SAME_MS = 1000

/**
 * Calls `end` at the first signal that asks this process to end. Another one soon after is the same one told twice; a
 * later one does not wait any longer and ends the process at once.
 */
export function onEndingSignal(end: (signal: EndingSignal) => void): void {
  let firstMs: number | null = null
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (firstMs === null) {
        firstMs = performance.now()
        end(signal)
      } else if (performance.now() - firstMs > SAME_MS) process.exit(exitCodeOf(signal))
    })
  }
}

/** What shells say of a process that a signal has ended. */
export function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal]
}
