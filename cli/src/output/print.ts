/** Data goes to stdout, and nothing else does. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
}

export function printLines(lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`)
}

/** For people, beside the data or beside the output of an app that has stdout for itself. */
export function tellLines(lines: readonly string[]): void {
  process.stderr.write(`${lines.join('\n')}\n`)
}

/** Ends quietly where the reader has gone, as in `tokenfuse usage | head -1`. */
export function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit()
    throw error
  })
}
