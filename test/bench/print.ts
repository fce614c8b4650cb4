import type { BenchResult } from './result.ts'

const format = new Intl.NumberFormat('en', { maximumSignificantDigits: 4 })

/** A table of at most 80 columns, with what each figure was compared with below it. */
export function resultLines(results: readonly BenchResult[]): string[] {
  const lines = ['name                        value  unit          target                 ']
  for (const { name, value, unit, target, pass, baseline, ratio, count } of results) {
    const verdict = pass === null ? '' : pass ? 'ok' : 'MISSED'
    lines.push(
      `${name.padEnd(22)} ${format.format(value).padStart(10)}  ${unit.padEnd(12)}  ${target.padEnd(22)} ${verdict}`,
    )
    const compared = baseline
      ? `${baseline.name} ${format.format(baseline.value)}${ratio === null ? '' : `, ratio ${format.format(ratio)}`}`
      : 'no comparison'
    lines.push(`${' '.repeat(23)}${compared}, n = ${count}`)
  }
  return lines
}
