import {
  type Budget,
  budgetLimit,
  type BudgetUnit,
  CALENDAR_WINDOWS,
  type Caller,
  countsAnother,
  type Dimension,
  matchesGlobs,
  type PolicySet,
  rollingMs,
  scopeKeyOf,
} from '@tokenfuse/protocol'
import { type Amount, amountOf } from './amount.ts'
import { type CallScopes, SLOT } from './call-scopes.ts'
import type { BudgetWindow } from './counter.ts'
import type { ForecastBudget } from './forecast/scope-forecasts.ts'
import { type RollingPlan, rollingPlan } from './rolling-spend.ts'
import type { CallAmounts } from './usage-sums.ts'

/** A budget of the policy in force that has a limit. */
export type ActiveBudget = Budget & {
  readonly unit: BudgetUnit
  /** Version of the policy since which it counts what it does. */
  readonly since: number
  readonly amount: Amount
  /** What is spent when it is time to warn, as long as the limit is `amount`. */
  readonly warnFrom: Amount
  /** Of a call's scopes, the number of the one that it counts in. */
  readonly scopeNumber: number
  /** What `match` asks of a call's names; all of it must hold. */
  readonly conditions: readonly Condition[]
  /** What is forecast of it; `null` where its windows are no calendar's. */
  readonly forecasting: ForecastBudget | null
  /** Of a window that ends now; `null` of all others. */
  readonly rolling: RollingPlan | null
  /** The window that its last call counted in, where the next one most likely does too. */
  lastWindow: BudgetWindow | null
}

type Condition = { readonly slot: number; readonly globs: readonly string[] }

/** The policy in force, taken apart once. */
export type ActivePolicy = {
  /** Offset of its `policy.set`. */
  readonly version: number
  readonly event: PolicySet
  readonly budgets: readonly ActiveBudget[]
  readonly byId: ReadonlyMap<string, ActiveBudget>
  readonly inactive: readonly { readonly budget: string; readonly reason: string }[]
}

/**
 * @param since of each budget that counts what it did before, the version since which it does
 * @param call will have the scopes that the policy's budgets ask for
 */
export function activatePolicy(
  event: PolicySet,
  version: number,
  since: ReadonlyMap<string, number>,
  call: CallScopes,
): ActivePolicy {
  call.reset(tagsOf(event.policy.budgets))
  const budgets: ActiveBudget[] = []
  const inactive: { budget: string; reason: string }[] = []
  for (const budget of event.policy.budgets) {
    const limit = budgetLimit(budget)
    if (!limit) {
      inactive.push({ budget: budget.id, reason: 'no limit is set' })
      continue
    }
    const amount = amountOf(limit.amount)
    budgets.push({
      ...budget,
      unit: limit.unit,
      since: since.get(budget.id) ?? version,
      amount,
      warnFrom: warnFrom(amount, budget.warnAt),
      scopeNumber: call.numberOf(budget.per.map((dimension) => call.slotOf(dimension))),
      conditions: conditionsOf(budget, call),
      forecasting: forecastOf(budget),
      rolling: rollingOf(budget),
      lastWindow: null,
    })
  }
  const byId = new Map(budgets.map((budget) => [budget.id, budget]))
  return { version, event, budgets, byId, inactive }
}

/** Of the budgets of a policy that count what they did in the one before, the version since which they do. */
export function sinceWhen(
  before: ActivePolicy | null,
  { policy }: PolicySet,
): ReadonlyMap<string, number> {
  const since = new Map<string, number>()
  for (const budget of policy.budgets) {
    const old = before?.byId.get(budget.id)
    if (old && !countsAnother(old, budget)) since.set(budget.id, old.since)
  }
  return since
}

function rollingOf({ window }: Budget): RollingPlan | null {
  const windowMs = rollingMs(window)
  return windowMs === null ? null : rollingPlan(windowMs)
}

function forecastOf({ id, window }: Budget): ForecastBudget | null {
  const calendar = CALENDAR_WINDOWS.find((name) => name === window)
  return calendar === undefined ? null : { id, window: calendar }
}

function tagsOf(budgets: readonly Budget[]): string[] {
  const dimensions = new Set(budgets.flatMap(({ per, match }) => [...per, ...dimensionsOf(match)]))
  return [...dimensions]
    .filter((dimension) => dimension.startsWith('tag.'))
    .map((dimension) => dimension.slice('tag.'.length))
}

const dimensionsOf = (match: Budget['match']) => Object.keys(match) as Dimension[]

function conditionsOf({ match }: Budget, call: CallScopes): Condition[] {
  return dimensionsOf(match).flatMap((dimension) => {
    const wanted = match[dimension]
    if (wanted === undefined) return []
    const globs = typeof wanted === 'string' ? [wanted] : wanted
    return [{ slot: call.slotOf(dimension), globs }]
  })
}

/** The least that is at least this share of a limit, to a hundredth of a percent. */
export function warnFrom(limit: Amount, share: number): Amount {
  const scaled = BigInt(limit) * BigInt(Math.round(share * SHARE_SCALE))
  return amountOf((scaled + BigInt(SHARE_SCALE - 1)) / BigInt(SHARE_SCALE))
}
const SHARE_SCALE = 10_000

/** Whether a call counts in a budget, by itself or as one of somebody that its agent works for. */
export function isCounted(
  { conditions }: ActiveBudget,
  call: CallScopes,
  caller: Caller | null = null,
): boolean {
  for (const { slot, globs } of conditions) {
    const name = nameFor(call, slot, caller)
    if (!matchesGlobs(globs, name)) return false
  }
  return true
}

/** The scope of a budget in which a call counts for somebody that its agent works for. */
export function scopeOfCaller({ per }: ActiveBudget, call: CallScopes, caller: Caller): string {
  return scopeKeyOf(
    per.map((dimension) => [dimension, nameFor(call, call.slotOf(dimension), caller)]),
  )
}

function nameFor(call: CallScopes, slot: number, caller: Caller | null): string {
  if (caller !== null && slot === SLOT.agent) return caller.agent
  return caller !== null && slot === SLOT.task ? caller.task : call.name(slot)
}

/** What a call adds to a budget, in steps if it is the first of its own. A refused call reached nobody and adds nothing. */
export function amountIn(
  unit: BudgetUnit,
  { isRefusal, inputTokens, outputTokens, cost }: CallAmounts,
): Amount {
  if (isRefusal) return 0
  switch (unit) {
    case 'tokens':
      return inputTokens + outputTokens
    case 'inputTokens':
      return inputTokens
    case 'outputTokens':
      return outputTokens
    case 'picoUsd':
      return cost
    case 'calls':
    case 'steps':
      return 1
  }
}
