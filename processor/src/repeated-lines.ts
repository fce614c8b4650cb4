const REPEAT_AFTER_MS = 60_000
const MAX_LINES = 100

/** Passes lines on, but the same one once a minute at most: what is tried again every second fails every second. */
export function limitRepeats(
  log: (line: string) => void,
  now: () => number = Date.now,
): (line: string) => void {
  const lastMs = new Map<string, number>()
  return (line) => {
    if (now() - (lastMs.get(line) ?? -Infinity) < REPEAT_AFTER_MS) return
    if (lastMs.size >= MAX_LINES) lastMs.clear()
    lastMs.set(line, now())
    log(line)
  }
}
