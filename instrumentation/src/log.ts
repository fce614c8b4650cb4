import { writeSync } from 'node:fs'

const LINES_MAX = 20
const said = new Set<string>()

/**
 * Says something once to stderr, and never more than a few things: the process belongs to the app. stdout is never
 * touched. Written straight to the descriptor, since `process.stderr` costs milliseconds to set up.
 */
export function warnOnce(code: string, message: string): void {
  if (said.has(code) || said.size >= LINES_MAX) return
  said.add(code)
  try {
    writeSync(2, `tokenfuse: ${message}\n`)
  } catch {
    // A closed or full stderr is no reason to disturb the app.
  }
}

/** Reports a fault of our own, which never reaches the app. */
export function reportFault(where: string, error: unknown): void {
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  warnOnce(`fault:${where}`, `internal fault in ${where}, the app goes on without it (${reason})`)
}
