import { showName } from '../output/text.ts'

const MAX_NAME = 60

/** A table in Markdown; the first column holds names, the others figures. */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string[] {
  if (rows.length === 0) return ['None.']
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`
  const rule = head.map((_, index) => (index === 0 ? '---' : '---:'))
  return [line(head), line(rule), ...rows.map(line)]
}

/** A text from outside that changes nothing around it. */
export function markdownText(text: string, max = MAX_NAME): string {
  return showName(text, max).replace(/[\\`*_<>|[\]]/g, (char) => `\\${char}`)
}

const cell = (text: string) => text.replaceAll('\n', ' ')

/** Sections with their titles, the empty ones left out. */
export function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `## ${title}`, '', ...lines]
}
