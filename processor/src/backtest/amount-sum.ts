import { billedTokens, type UsageEvent } from '@tokenfuse/protocol'
import type { Amounts } from './result.ts'

/** Sums over calls. */
export class AmountSum {
  #calls = 0
  #tokens = 0
  #cost = 0n

  add({ charges, costPicoUsd }: UsageEvent): void {
    const { input, output } = billedTokens(charges)
    this.#calls++
    this.#tokens += input + output
    this.#cost += BigInt(costPicoUsd)
  }

  addSum(other: AmountSum): void {
    this.#calls += other.#calls
    this.#tokens += other.#tokens
    this.#cost += other.#cost
  }

  get cost(): bigint {
    return this.#cost
  }

  amounts(): Amounts {
    return { calls: this.#calls, tokens: this.#tokens, costPicoUsd: String(this.#cost) }
  }
}
