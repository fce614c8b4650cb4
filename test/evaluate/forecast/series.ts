import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

/** Tokens of one client, or of all clients of a model, in windows of ten minutes from the first midnight on. */
export type Series = {
  /** `*` is a model's fleet. */
  readonly client: string
  readonly model: string
  readonly tokens: Float64Array
  /** Whether it had traffic in at least 90 % of the hours of days 1 to 7; null for fleets. */
  readonly isRegular: boolean | null
}

export type Recording = {
  readonly days: number
  /** Clients in the order of the file, then fleets. */
  readonly series: readonly Series[]
  /** Clients without any token lengths: they are left out of everything, fleets included. */
  readonly withoutLengths: number
  /** Windows whose six hours have no lengths, and were given those of the nearest six hours before, or else after. */
  readonly filledWindows: number
}

const WINDOW_S = 600
const LENGTHS_S = 21_600
export const WINDOWS_PER_DAY = 144
const WINDOWS_PER_HOUR = 6
const REGULAR_SHARE = 0.9
const REGULAR_DAYS = 7

/** @throws {Error} naming the file, and the line where one cannot be read */
export function readRecording(requestsPath: string, lengthsPath: string): Recording {
  const requests = readTable(requestsPath, ['model', 'client', 't_s', 'requests'])
  const lengths = readTable(lengthsPath, [
    'model',
    'client',
    't_s',
    'mean_input_tokens',
    'mean_output_tokens',
  ])
  const perRequest = new Map<string, Map<number, number>>()
  for (const [model, client, time, input, output] of lengths) {
    const key = `${model}/${client}`
    const of = perRequest.get(key) ?? new Map<number, number>()
    perRequest.set(key, of)
    // An unknown length is no number, or is empty.
    const tokens = input === '' || output === '' ? Number.NaN : Number(input) + Number(output)
    if (!Number.isNaN(tokens)) of.set(Math.floor(Number(time) / LENGTHS_S), tokens)
  }
  const lastS = requests.reduce((last, [, , time]) => Math.max(last, Number(time)), 0)
  const days = Math.ceil((lastS + WINDOW_S) / (WINDOW_S * WINDOWS_PER_DAY))
  const clients = new Map<string, { model: string; client: string; tokens: Float64Array }>()
  const without = new Set<string>()
  let filledWindows = 0
  for (const [model = '', client = '', time, count] of requests) {
    const key = `${model}/${client}`
    const of = perRequest.get(key)
    if (!of || of.size === 0) {
      without.add(key)
      continue
    }
    const length = lengthAt(of, Math.floor(Number(time) / LENGTHS_S))
    if (length.isFilled) filledWindows++
    const at = Math.floor(Number(time) / WINDOW_S)
    const entry = clients.get(key) ?? {
      model,
      client,
      tokens: new Float64Array(days * WINDOWS_PER_DAY),
    }
    clients.set(key, entry)
    entry.tokens[at] = (entry.tokens[at] ?? 0) + Math.round(Number(count) * length.tokens)
  }
  const series = [...clients.values()].map((entry) => ({
    ...entry,
    isRegular: isRegular(entry.tokens),
  }))
  return {
    days,
    series: [...series, ...fleetsOf(series)],
    withoutLengths: without.size,
    filledWindows,
  }
}

/** Mean tokens a request of six hours; where they are missing, of the nearest six hours before, or else after. */
function lengthAt(
  lengths: ReadonlyMap<number, number>,
  at: number,
): { tokens: number; isFilled: boolean } {
  const exact = lengths.get(at)
  if (exact !== undefined) return { tokens: exact, isFilled: false }
  const known = [...lengths.keys()].sort((a, b) => a - b)
  const nearest = known.findLast((other) => other < at) ?? known[0] ?? at
  return { tokens: lengths.get(nearest) ?? 0, isFilled: true }
}

function fleetsOf(clients: readonly Series[]): Series[] {
  const fleets = new Map<string, Series>()
  for (const { model, tokens } of clients) {
    const fleet = fleets.get(model) ?? {
      client: '*',
      model,
      tokens: new Float64Array(tokens.length),
      isRegular: null,
    }
    fleets.set(model, fleet)
    for (const [at, amount] of tokens.entries()) fleet.tokens[at] = (fleet.tokens[at] ?? 0) + amount
  }
  return [...fleets.values()]
}

function isRegular(tokens: Float64Array): boolean {
  const hours = REGULAR_DAYS * 24
  let active = 0
  for (let hour = 0; hour < hours; hour++) {
    const from = hour * WINDOWS_PER_HOUR
    if (tokens.subarray(from, from + WINDOWS_PER_HOUR).some((amount) => amount > 0)) active++
  }
  return active >= REGULAR_SHARE * hours
}

/** The named columns of a CSV file with a header, gzip or plain; its fields hold no commas. */
function readTable(path: string, columns: readonly string[]): string[][] {
  const bytes = readFileSync(path)
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b
  const text = (isGzip ? gunzipSync(bytes) : bytes).toString('utf8')
  const [header = '', ...lines] = text.split(/\r?\n/)
  const names = header.split(',').map((name) => name.trim())
  const places = columns.map((column) => {
    const place = names.indexOf(column)
    if (place < 0) throw new Error(`${path} has no column "${column}"; it has: ${header}`)
    return place
  })
  return lines.flatMap((line, index) => {
    if (line.trim() === '') return []
    const fields = line.split(',')
    const row = places.map((place) => (fields[place] ?? '').trim())
    const isRight = row.every((value, at) => isReadable(columns[at] ?? '', value))
    if (!isRight) throw new Error(`${path}, line ${index + 2} cannot be read: ${line}`)
    return [row]
  })
}

/** Mean lengths may be unknown: empty or `nan`. */
function isReadable(column: string, value: string): boolean {
  if (column === 'model' || column === 'client') return value !== ''
  if (column.startsWith('mean_') && (value === '' || value.toLowerCase() === 'nan')) return true
  return value !== '' && Number.isFinite(Number(value)) && Number(value) >= 0
}
