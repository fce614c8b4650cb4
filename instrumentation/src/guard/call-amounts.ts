import { type BudgetUnit, chargesFor } from '@tokenfuse/protocol/names'
import type { KnownProfile } from './credit/ask.ts'
import type { CallOutcome } from './guard.ts'

/**
 * What a call cost in a unit, as its usage event will say it, or a little more: a part that another model has billed
 * is priced here at the model's own rate, since the guard knows no other.
 */
export function amountOf(
  { parts, responseModel }: CallOutcome,
  profile: KnownProfile | null,
): (unit: BudgetUnit) => bigint {
  return (unit) => {
    if (unit === 'picoUsd') {
      if (!profile) return 0n
      return chargesFor(parts, responseModel ?? profile.model, () => profile.rate).cost
    }
    if (unit === 'calls' || unit === 'steps') return 1n
    let input = 0
    let output = 0
    for (const { tokens } of parts) {
      input += tokens.input ?? 0
      output += tokens.output ?? 0
    }
    if (unit === 'inputTokens') return BigInt(input)
    return BigInt(unit === 'outputTokens' ? output : input + output)
  }
}
