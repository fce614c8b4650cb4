/** One recorded call: what a provider once counted. */
export type RecordedCall = {
  /** `null` where the recording does not say who called. */
  readonly agent: string | null
  readonly input: number
  readonly output: number
}

export type RecordedRun = { readonly run: string; readonly calls: readonly RecordedCall[] }

const COLUMNS = ['run_id', 'agent', 'prompt_tokens', 'completion_tokens'] as const

/**
 * Reads a CSV file of recorded calls (RFC 4180) by the names of its columns; the others are ignored.
 * @returns runs in the order in which they begin, calls within a run in the order of the file
 * @throws {Error} which names the line
 */
export function parseRecording(text: string): RecordedRun[] {
  const [header = [], ...rows] = parseCsv(text)
  const columns = COLUMNS.map((name) => {
    const index = header.indexOf(name)
    if (index < 0) throw new Error(`line 1: no column is called ${name}`)
    return index
  })
  const runs = new Map<string, RecordedCall[]>()
  for (const [index, row] of rows.entries()) {
    const [run = '', agent = '', prompt, completion] = columns.map((column) => row[column])
    const line = index + 2
    if (run === '') throw new Error(`line ${line}: no run_id`)
    const call = {
      agent: agent === '' ? null : agent,
      input: wholeNumber(prompt, 'prompt_tokens', line),
      output: wholeNumber(completion, 'completion_tokens', line),
    }
    const calls = runs.get(run)
    if (calls) calls.push(call)
    else runs.set(run, [call])
  }
  return Array.from(runs, ([run, calls]) => ({ run, calls }))
}

function wholeNumber(text: string | undefined, column: string, line: number): number {
  if (text !== undefined && /^\d{1,15}$/.test(text)) return Number(text)
  throw new Error(`line ${line}: ${column} is no whole number: ${text ?? ''}`)
}

/** Rows of fields; lines without any text are left out. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  const field = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r?\n|$)/gy
  for (let match = field.exec(text); match !== null; match = field.exec(text)) {
    const [whole, value = '', end] = match
    row.push(value.startsWith('"') ? value.slice(1, -1).replaceAll('""', '"') : value)
    if (end !== ',') {
      if (row.length > 1 || row[0] !== '') rows.push(row)
      row = []
    }
    if (whole === '' || field.lastIndex >= text.length) break
  }
  return rows
}
