import type { EncodedSpan } from '../otlp-json.ts'

/** One span as a line of a spool file. */
export function spoolLine(span: EncodedSpan): string {
  return `{"service":${JSON.stringify(span.service)},"span":${span.json}}\n`
}

export type SpoolContent = {
  readonly spans: readonly EncodedSpan[]
  /** Whole lines that hold no span: something else than us has written. */
  readonly damagedLines: number
}

/**
 * Reads a file's text. What follows the last line break was being written when its process was killed: that span
 * is lost, and the file is none the worse for it.
 */
export function parseSpoolLines(text: string): SpoolContent {
  const spans: EncodedSpan[] = []
  let damagedLines = 0
  for (const line of text.split('\n').slice(0, -1)) {
    const span = parseLine(line)
    if (span === null) damagedLines++
    else spans.push(span)
  }
  return { spans, damagedLines }
}

function parseLine(line: string): EncodedSpan | null {
  try {
    const content: unknown = JSON.parse(line)
    if (!isRecord(content) || typeof content['service'] !== 'string') return null
    const span = content['span']
    if (!isRecord(span) || !isHex(span['traceId'], 32) || !isHex(span['spanId'], 16)) return null
    const json = JSON.stringify(span)
    return { service: content['service'], json, bytes: Buffer.byteLength(json) }
  } catch {
    return null
  }
}

const isHex = (value: unknown, digits: number) =>
  typeof value === 'string' && value.length === digits && /^[0-9a-f]+$/.test(value)

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
