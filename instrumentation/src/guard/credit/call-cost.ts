import { type BudgetUnit, highestUnitPrice, type Rate } from '@tokenfuse/protocol/names'

/** What a call that is about to be sent may cost. */
export type CallCost = {
  /** Estimate; may be wrong either way. */
  readonly inputTokens: number
  /** Answers asked for; each may be as long as the limit. */
  readonly choices: number
  /** The output limit on the wire, for each choice; `null` where the request sets none. */
  readonly outputLimit: number | null
  /** What output cannot pass even without a limit on the wire; `null` where nothing is known. */
  readonly outputBound: number | null
  /** Lowest output limit that is of use and that the provider accepts. */
  readonly minimumOutput: number
  /** Whether a limit on the wire bounds what is billed. */
  readonly cappable: boolean
  readonly p95Output: number
  readonly p99Output: number
  /** Prices of the model; `null` until the governor has told them. */
  readonly rate: Rate | null
  /** The step that it is part of; `null` where it is one of its own. */
  readonly step: string | null
  /** Whether the request asks the provider to write to its cache, which may cost more than plain input. */
  readonly writesCache: boolean
}

/** The longest that each answer of this call may be, if nothing is changed. */
export function wantedOutput(cost: CallCost): number {
  return cost.outputLimit ?? cost.outputBound ?? Number.POSITIVE_INFINITY
}

/** What the call costs in a unit if each choice gives this many tokens; exact for the estimate it starts from. */
export function amountFor(cost: CallCost, unit: BudgetUnit, outputTokens: number): bigint {
  const output = BigInt(Math.ceil(outputTokens)) * BigInt(cost.choices)
  const input = BigInt(cost.inputTokens)
  switch (unit) {
    case 'tokens':
      return input + output
    case 'inputTokens':
      return input
    case 'outputTokens':
      return output
    case 'picoUsd':
      return input * inputPrice(cost) + output * outputPrice(cost)
    case 'calls':
    case 'steps':
      return 1n
  }
}

/** Whether a shorter answer costs less in a unit. */
export function dependsOnOutput(unit: BudgetUnit): boolean {
  return unit === 'tokens' || unit === 'outputTokens' || unit === 'picoUsd'
}

/** The longest that each choice may be for an amount to suffice; negative where not even the input fits. */
export function outputWithin(cost: CallCost, unit: BudgetUnit, amount: bigint): number {
  if (!dependsOnOutput(unit)) return Number.POSITIVE_INFINITY
  const left = amount - amountFor(cost, unit, 0)
  if (left < 0n) return -1
  const each = BigInt(cost.choices) * (unit === 'picoUsd' ? outputPrice(cost) : 1n)
  return each === 0n ? Number.POSITIVE_INFINITY : Number(left / each)
}

function inputPrice({ rate, writesCache }: CallCost): bigint {
  if (!rate) return 0n
  const kinds = writesCache
    ? [rate.input, rate.cacheWrite, rate.cacheWrite1h]
    : [rate.input, rate.cacheWrite]
  return kinds.map(highestUnitPrice).reduce((a, b) => (a > b ? a : b))
}

function outputPrice({ rate }: CallCost): bigint {
  return rate ? highestUnitPrice(rate.output) : 0n
}

/** What to ask for on an account of which nothing is known: the least for the 99th percentile, best for the whole. */
export function costLevels(cost: CallCost, unit: BudgetUnit): { need: bigint; want: bigint } {
  const wanted = wantedOutput(cost)
  const p99 = Math.min(wanted, cost.p99Output)
  return {
    need: amountFor(cost, unit, p99),
    want: amountFor(cost, unit, Number.isFinite(wanted) ? wanted : p99),
  }
}
