import {
  billedTokens,
  type Budget,
  type BudgetUnit,
  type DimensionValues,
  matchesScope,
  picoUsdFromUsd,
  type PolicySet,
  scopeKey,
  type UsageEvent,
} from '@tokenfuse/protocol'
import { isRefused, stepName } from './usage-ledger.ts'

/** A budget of the policy in force that has a limit. */
export type ActiveBudget = Budget & { readonly unit: BudgetUnit; readonly amount: bigint }

/** The policy in force, taken apart once. */
export type ActivePolicy = {
  /** Offset of its `policy.set`. */
  readonly version: number
  readonly event: PolicySet
  readonly budgets: readonly ActiveBudget[]
  readonly byId: ReadonlyMap<string, ActiveBudget>
  readonly inactive: readonly { readonly budget: string; readonly reason: string }[]
}

export function activatePolicy(event: PolicySet, version: number): ActivePolicy {
  const budgets: ActiveBudget[] = []
  const inactive: { budget: string; reason: string }[] = []
  for (const budget of event.policy.budgets) {
    const limit = limitOf(budget)
    if (limit) budgets.push({ ...budget, ...limit })
    else inactive.push({ budget: budget.id, reason: 'no limit is set' })
  }
  const byId = new Map(budgets.map((budget) => [budget.id, budget]))
  return { version, event, budgets, byId, inactive }
}

function limitOf({ limit }: Budget): { unit: BudgetUnit; amount: bigint } | null {
  if (limit?.tokens !== undefined) return { unit: 'tokens', amount: BigInt(limit.tokens) }
  if (limit?.inputTokens !== undefined)
    return { unit: 'inputTokens', amount: BigInt(limit.inputTokens) }
  if (limit?.outputTokens !== undefined) {
    return { unit: 'outputTokens', amount: BigInt(limit.outputTokens) }
  }
  if (limit?.usd !== undefined) return { unit: 'picoUsd', amount: picoUsdFromUsd(limit.usd) }
  return null
}

export function dimensionsOf(event: UsageEvent): DimensionValues {
  return {
    tenant: event.tenant,
    agent: event.agent,
    task: event.task,
    taskType: event.taskType ?? 'unknown',
    step: stepName(event),
    user: event.user,
    session: event.session,
    model: event.requestModel,
    provider: event.provider,
    service: event.service,
    tags: event.tags,
  }
}

/** The budgets that a call counts in, each with the scope. */
export function budgetsFor(
  policy: ActivePolicy,
  values: DimensionValues,
): { readonly budget: ActiveBudget; readonly scope: string }[] {
  const found: { budget: ActiveBudget; scope: string }[] = []
  for (const budget of policy.budgets) {
    if (matchesScope(budget.match, values))
      found.push({ budget, scope: scopeKey(budget.per, values) })
  }
  return found
}

/** What a call adds to a budget of each unit. A refused call reached nobody and adds nothing. */
export function amountsOf(event: UsageEvent): Readonly<Record<BudgetUnit, bigint>> {
  if (isRefused(event)) return NOTHING
  const { input, output } = billedTokens(event.charges)
  return {
    tokens: BigInt(input + output),
    inputTokens: BigInt(input),
    outputTokens: BigInt(output),
    picoUsd: BigInt(event.costPicoUsd),
  }
}

const NOTHING = Object.freeze({ tokens: 0n, inputTokens: 0n, outputTokens: 0n, picoUsd: 0n })
