import type { Budget } from '@tokenfuse/protocol'
import { budgetLimit, rollingMs } from '@tokenfuse/protocol/names'
import { formatAmountUnit } from '../output/amount.ts'
import { showName } from '../output/text.ts'

/** Such as `$5.00 a day for each task` or `200,000 tokens for good`. */
export function describeLimit(budget: Budget): string {
  const limit = budgetLimit(budget)
  if (limit === null) return 'none set: inactive'
  const amount = formatAmountUnit(String(limit.amount), limit.unit)
  const each = budget.per.length === 0 ? '' : ` for each ${budget.per.map(named).join(' and ')}`
  return `${amount} ${timeOf(budget.window)}${each}`
}

function timeOf(window: Budget['window']): string {
  if (window === 'lifetime') return 'for good'
  if (window === 'hour') return 'an hour'
  return rollingMs(window) === null ? `a ${window}` : `in any ${window.slice('rolling '.length)}`
}

/** Such as `agent=support, model=gpt-4*|o1*`; `all calls` where it is for everything. */
export function describeMatch({ match }: Budget): string {
  const parts = Object.entries(match).map(([dimension, globs]) => {
    const values = typeof globs === 'string' ? [globs] : (globs ?? [])
    return `${named(dimension)}=${values.map((glob) => showName(glob)).join('|')}`
  })
  return parts.length === 0 ? 'all calls' : parts.join(', ')
}

const named = (dimension: string) => showName(dimension, 40)
