import { randomUUID } from 'node:crypto'
import {
  amountSchema,
  type Budget,
  DEFAULT_TENANT,
  type OverrideAnswer,
  parseAmount,
  parseScopeKey,
  picoUsdFromUsd,
  TokenfuseError,
} from '@tokenfuse/protocol'
import { z } from 'zod'
import { budgetOf } from './budgets.ts'
import type { ApiContext } from './context.ts'
import { operatorFields } from './requests.ts'

/** The body of `POST /v1/overrides`. */
export const overrideRequestSchema = z.object({
  budget: z.string().min(1),
  scope: z.string().min(1).max(1024).default('*'),
  /** Such as `5usd` or `200ktok`, or a whole number in the budget's unit. */
  add: z.string().min(1),
  ...operatorFields,
  until: z.iso.datetime().nullable().default(null),
})

/**
 * Raises the limit of one scope of a budget.
 * @throws TokenfuseError `not_found`, or `bad_request` where amount or scope do not fit the budget
 */
export async function override(
  { loop }: ApiContext,
  request: z.output<typeof overrideRequestSchema>,
): Promise<OverrideAnswer> {
  const { scope, reason, by, until } = request
  const budget = budgetOf({ loop }, request.budget)
  requireScope(budget, scope)
  const add = amountFor(budget, request.add)
  const id = `o-${randomUUID()}`
  const tenant = DEFAULT_TENANT
  const [entry] = await loop.submit([
    { type: 'override.set', v: 1, tenant, id, budget: budget.id, scope, add, reason, by, until },
  ])
  const status = loop.governor
    .budgets()
    .find((candidate) => candidate.budget === budget.id && candidate.scope === scope)
  if (!status || !entry) {
    throw new TokenfuseError('policy_outdated', `budget "${budget.id}" was changed meanwhile`, {
      fix: 'Look at it again and repeat the override.',
    })
  }
  const { unit, limit, windowUntil } = status
  return {
    id,
    offset: entry.offset,
    budget: budget.id,
    scope,
    unit,
    limit,
    until: until ?? windowUntil,
  }
}

/** A scope that the budget does not count over would raise a limit that nobody meets. */
function requireScope({ id, per }: Budget, scope: string): void {
  const dimensions = parseScopeKey(scope).map(([dimension]) => dimension)
  if (dimensions.join() === per.join()) return
  const example = per.map((dimension) => `${dimension}=NAME`).join(',')
  throw new TokenfuseError('bad_request', `budget "${id}" has no scope "${scope}"`, {
    fix:
      per.length === 0
        ? 'It counts everything together: leave the scope out.'
        : `Name one such as ${example}.`,
  })
}

/** The amount in the unit of the budget. */
function amountFor({ id, limit }: Budget, text: string): string {
  if (!limit) {
    throw new TokenfuseError('bad_request', `budget "${id}" has no limit that could be raised`, {
      fix: 'Give it one with `tokenfuse budget set`.',
    })
  }
  if (amountSchema.safeParse(text).success) return text
  const amount = parseAmount(text)
  const unit = unitName(limit)
  if (!(unit in amount)) {
    throw new TokenfuseError('bad_request', `budget "${id}" counts ${unit}, not "${text}"`, {
      fix: `Give an amount of ${unit}.`,
    })
  }
  return 'usd' in amount ? String(picoUsdFromUsd(amount.usd)) : String(Object.values(amount)[0])
}

/** The name under which `parseAmount` gives amounts that fit a limit. */
function unitName(limit: NonNullable<Budget['limit']>): 'usd' | 'tokens' | 'calls' | 'steps' {
  if (limit.usd !== undefined) return 'usd'
  if (limit.calls !== undefined) return 'calls'
  return limit.steps === undefined ? 'tokens' : 'steps'
}
