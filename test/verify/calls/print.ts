import type { Report, ScenarioRow } from './summary.ts'

const MISMATCHES_SHOWN = 40
const HEADINGS = ['requests', 'equal', 'estimated', 'free', 'mismatched', 'estimate off']

/** The report as a table for people. */
export function reportLines(report: Report): string[] {
  const width = Math.max(...report.scenarios.map(({ scenario }) => scenario.length), 8)
  const line = (name: string, cells: readonly string[]) =>
    name.padEnd(width) + cells.map((cell) => cell.padStart(13)).join('')
  const { verdicts } = report
  const total = [report.requests, ...counts(verdicts)].map(String)
  return [
    line('scenario', HEADINGS),
    ...report.scenarios.map((row) =>
      line(row.scenario, [...[row.requests, ...counts(row.verdicts)].map(String), deviation(row)]),
    ),
    line('all', [...total, '']),
    '',
    `${report.calls} calls, ${report.requests} requests in ${report.seconds.toFixed(1)} s.`,
    `Billed ${usd(report.billedPicoUsd)} USD, metered ${usd(report.meteredPicoUsd)} USD.`,
    `${verdicts.equal} requests equal to the bill, to the token and the pico-USD; ` +
      `${verdicts.estimated} had no usage and are labelled so; ${verdicts.free} were never billed.`,
    ...mismatchLines(report.mismatches),
  ]
}

function counts(verdicts: Report['verdicts']): number[] {
  return [verdicts.equal, verdicts.estimated, verdicts.free, verdicts.mismatched]
}

function mismatchLines(mismatches: readonly string[]): string[] {
  if (mismatches.length === 0) return ['No mismatch.']
  const hidden = mismatches.length - MISMATCHES_SHOWN
  return [
    `${mismatches.length} MISMATCHES:`,
    ...mismatches.slice(0, MISMATCHES_SHOWN).map((text) => `  ${text}`),
    ...(hidden > 0 ? [`  and ${hidden} more`] : []),
  ]
}

/** By how much the estimates of a scenario miss their bill, together. */
function deviation({ estimated, verdicts }: ScenarioRow): string {
  const billed = Number(estimated.billedPicoUsd)
  if (verdicts.estimated === 0 || billed === 0) return ''
  const share = (Number(estimated.meteredPicoUsd) - billed) / billed
  return `${share >= 0 ? '+' : ''}${(share * 100).toFixed(1)} %`
}

function usd(picoUsd: string): string {
  return (Number(picoUsd) / 1e12).toFixed(6)
}
