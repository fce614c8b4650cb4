import { type CallProfile, type Rate, rateFromWire, type WireRate } from '@tokenfuse/protocol/names'
import type { Ask, AskOutcome, FinalOutcome } from './ask.ts'
import type { CallCost } from './call-cost.ts'
import { admitStale, type StaleClaim, type StaleState } from './stale.ts'

const MAX_ACCOUNTS = 10_000
const MAX_RATES = 1_000

/** A price that a governor has told. */
export type KnownRate = Pick<CallProfile, 'provider' | 'model'> & { readonly rate: WireRate }

/** What a guard goes by while the governor cannot be asked, and what calls may have cost in that time. */
export class WithoutGovernor {
  readonly #onStart: 'allow' | 'refuse'
  /** When the first call found that it cannot be asked. */
  #missedSinceMs: number | null = null
  readonly #graceUsed = new Map<string, bigint>()
  readonly #rates = new Map<string, Rate>()

  constructor(onStart: 'allow' | 'refuse') {
    this.#onStart = onStart
  }

  /** Where not even the policy is known. */
  decideBlind(): FinalOutcome {
    return this.#onStart === 'allow'
      ? { type: 'admit', cap: null, holds: [], basis: 'nothing' }
      : { type: 'refuse', budget: null, why: 'no_policy' }
  }

  decide(
    ask: Pick<Ask, 'deadlineMs' | 'profile'>,
    claims: readonly Omit<StaleClaim, 'graceUsed'>[],
    cost: CallCost,
    time: Pick<StaleState, 'staleSinceMs' | 'elapsedMs'>,
  ): AskOutcome {
    this.#missedSinceMs ??= time.elapsedMs
    const rate = cost.rate ?? this.#rates.get(rateKey(ask.profile)) ?? null
    const outcome = admitStale(
      ask,
      { ...cost, rate },
      claims.map((claim) => ({ ...claim, graceUsed: this.#graceUsed.get(claim.key) ?? 0n })),
      { ...time, missedSinceMs: this.#missedSinceMs, onStart: this.#onStart },
    )
    if (outcome.type !== 'admit') return outcome
    const { graceUses, ...admitted } = outcome
    const isNew = graceUses.some(({ key }) => !this.#graceUsed.has(key))
    if (isNew && this.#graceUsed.size >= MAX_ACCOUNTS) {
      return { type: 'refuse', budget: claims[0]?.budget.id ?? null, why: 'stale' }
    }
    for (const { key, amount } of graceUses) {
      this.#graceUsed.set(key, (this.#graceUsed.get(key) ?? 0n) + amount)
    }
    return admitted
  }

  /** The governor can be asked again. */
  found(): void {
    this.#missedSinceMs = null
  }

  /** It has answered. What was spent meanwhile it learns from the spans of those calls. */
  answered(): void {
    this.#graceUsed.clear()
  }

  /** Prices for models of which this guard was not told any. */
  useRates(rates: readonly KnownRate[]): void {
    for (const known of rates.slice(0, MAX_RATES)) {
      this.#rates.set(rateKey(known), rateFromWire(known.rate))
    }
  }
}

const rateKey = ({ provider, model }: Pick<CallProfile, 'provider' | 'model'>) =>
  `${provider}\u0000${model}`
