import { formatAmount } from './amounts.ts'
import type { Figures, Run } from './judge.ts'
import { isGrown } from './load.ts'

const OVERSHOOT_MAX = 0.01
const OFFERED_MIN = 3
const MEAN_CALLS_MIN = 200

/** What a run has to be to show anything, whoever keeps the budget. */
export function loadProblems(figures: Figures, { ledger }: Run): string[] {
  const { offeredRatio, limitInMeanCalls, failures } = figures
  return [
    ...(offeredRatio < OFFERED_MIN
      ? [`only ${offeredRatio.toFixed(2)} times the limit was offered`]
      : []),
    ...(limitInMeanCalls < MEAN_CALLS_MIN
      ? [`the limit is ${limitInMeanCalls.toFixed(0)} calls`]
      : []),
    ...(ledger.some(({ label }) => isGrown(label)) ? [] : ['the answers never grew']),
    ...failures,
  ]
}

/** What tokenfuse promises of a hard budget and the ledger says is not so. */
export function brokenPromises(figures: Figures, { counted, lost }: Run): string[] {
  const { billed, billedRatio, unit } = figures
  const over = billedRatio > 1 + OVERSHOOT_MAX
  // What a killed agent may have spent is charged, so that its budget may say more than was billed, and never less.
  const differs = counted !== null && (lost === null ? counted !== billed : counted < billed)
  return [
    ...(over ? [`billed ${formatAmount(billed, unit)}, over the limit by more than 1 %`] : []),
    ...told(figures.outputBeyondBound, 'output tokens came beyond their bound'),
    ...told(figures.refusedTooEarly, 'calls were refused while over 2 % of the limit was free'),
    ...told(figures.refusedAndBilled, 'refused calls reached the stand-in'),
    ...(figures.refused === 0 ? ['nothing was refused'] : []),
    ...(differs
      ? [`billed ${formatAmount(billed, unit)}, counted ${formatAmount(counted, unit)}`]
      : []),
  ]
}

const told = (count: number, what: string) => (count > 0 ? [`${count} ${what}`] : [])
