import { formatUsd, usdFromPicoUsd } from '@tokenfuse/protocol/names'
import type { Style } from '../../cli/src/output/style.ts'
import { type Column, renderTable } from '../../cli/src/output/table.ts'
import { LOOP } from './agents.ts'
import type { BillRow } from './bill.ts'

const COLUMNS: readonly Column[] = [
  { title: 'agent     ', align: 'left' },
  { title: 'tokenfuse counted', align: 'right' },
  { title: 'the provider billed', align: 'right' },
  { title: '', align: 'left' },
]
const LINE_WIDTH = 76
const FRACTION_DIGITS_MIN = 6

/** What the stopped agent saw: its SDK's own error. */
export function refusalLines(said: string, turns: number, style: Style): string[] {
  const [errorClass = '', ...message] = said.trim().split(': ')
  return [
    '',
    `Turn ${turns} of the loop was refused. The agent's SDK threw its own error:`,
    ...wrapped(`${errorClass}: ${message.join(': ')}`).map((line, index) =>
      index === 0 ? `  ${style('red', errorClass)}${line.slice(errorClass.length)}` : `  ${line}`,
    ),
  ]
}

/** What each spent, beside the bill. */
export function billLines(bills: readonly BillRow[], style: Style): string[] {
  const costs = bills.flatMap(({ metered, billed }) => [metered.cost, billed.cost])
  const digits = Math.max(FRACTION_DIGITS_MIN, ...costs.map((cost) => fractionOf(cost).length))
  const rows = bills.map(({ agent, metered, billed, isEqual }) => [
    agent,
    exactUsd(metered.cost, digits),
    exactUsd(billed.cost, digits),
    isEqual ? style('green', 'equal') : style('red', differenceText(metered, billed)),
  ])
  return ['', renderTable(COLUMNS, rows, style)]
}

/** What the loop would have cost without a budget. */
export function savingLines(loop: BillRow['billed'], style: Style): string[] {
  if (loop.calls === 0) return []
  const whole = (loop.cost * BigInt(LOOP.turns)) / BigInt(loop.calls)
  const saved = style(['bold', 'green'], `${formatUsd(whole - loop.cost)} saved`)
  return [
    '',
    `Left alone, ${LOOP.turns} such turns would have cost ${formatUsd(whole)}.`,
    `Stopped after ${loop.calls} of them: ${saved}.`,
  ]
}

function differenceText(metered: BillRow['metered'], billed: BillRow['billed']): string {
  const parts = (['calls', 'inputTokens', 'outputTokens', 'cost'] as const).flatMap((field) =>
    metered[field] === billed[field] ? [] : [`${field} ${metered[field]}/${billed[field]}`],
  )
  return `differs: ${parts.join(', ')}`
}

/** To the last digit, and so many of them that the points stand below each other. */
function exactUsd(cost: bigint, digits: number): string {
  const [whole = ''] = usdFromPicoUsd(cost).split('.')
  return `$${whole}.${fractionOf(cost).padEnd(digits, '0')}`
}

const fractionOf = (cost: bigint) => usdFromPicoUsd(cost).split('.')[1] ?? ''

function wrapped(text: string): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > LINE_WIDTH) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return line === '' ? lines : [...lines, line]
}
