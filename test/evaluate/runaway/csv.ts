import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

/** A row of a table, by the names of its columns. */
export type CsvRow = (column: string) => string

/**
 * Reads a table with a header, compressed or not.
 * @throws {Error} where the file cannot be read, or lacks one of the columns
 */
export function readCsv(path: string, columns: readonly string[]): CsvRow[] {
  const bytes = readFileSync(path)
  const isCompressed = bytes[0] === 0x1f && bytes[1] === 0x8b
  const text = (isCompressed ? gunzipSync(bytes) : bytes).toString('utf8')
  const [head, ...lines] = text.split(/\r?\n/).filter((line) => line !== '')
  const places = new Map(fieldsOf(head ?? '').map((name, at) => [name, at]))
  const missing = columns.filter((column) => !places.has(column))
  if (missing.length > 0) throw new Error(`${path} has no column ${missing.join(', ')}`)
  return lines.map((line) => {
    const fields = fieldsOf(line)
    return (column) => fields[places.get(column) ?? -1] ?? ''
  })
}

function fieldsOf(line: string): string[] {
  if (!line.includes('"')) return line.split(',')
  const fields: string[] = []
  for (const [, quoted, plain] of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)) {
    fields.push(quoted?.replaceAll('""', '"') ?? plain ?? '')
  }
  return fields
}
