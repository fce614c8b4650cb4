import type { Unit } from './amounts.ts'
import type { CounterRule } from './shared-counter.ts'

export type Keeper = 'tokenfuse' | CounterRule

/** One way to keep one budget against the load. */
export type Variant = {
  readonly name: string
  readonly keeper: Keeper
  readonly unit: Unit
  /** Who is killed with -9 half-way; the processor is started again on the same data. */
  readonly kill: 'nobody' | 'agent' | 'processor'
}

const tokenfuse = (name: string, rest: Partial<Variant> = {}): Variant => ({
  name: `tokenfuse, ${name}`,
  keeper: 'tokenfuse',
  unit: 'tokens',
  kill: 'nobody',
  ...rest,
})
const counter = (keeper: CounterRule): Variant => ({
  name: keeper,
  keeper,
  unit: 'tokens',
  kill: 'nobody',
})

export const VARIANTS: readonly Variant[] = [
  counter('check then increment'),
  counter('reserve the 95th percentile'),
  tokenfuse('tokens'),
  tokenfuse('USD', { unit: 'picoUsd' }),
  tokenfuse('processor killed', { kill: 'processor' }),
  tokenfuse('agent killed', { kill: 'agent' }),
]

/** Over 200 calls as they are offered. */
export const LIMITS: Readonly<Record<Unit, bigint>> = {
  tokens: 200_000n,
  picoUsd: 1_600_000_000_000n,
}
/** Together over three times the limit. */
export const CALLS_OF_CALLER = 16

/** The stand-in's answers, from the start and from when two fifths of the limit are billed. */
export const ANSWERS = {
  outputTokens: { median: 100, sigma: 0.4 },
  toolCallRate: 0.3,
  tokensPerEvent: 16,
  latency: { firstTokenMs: { median: 20, sigma: 0.4 }, tokensPerSecond: 2000 },
} as const
export const GROWN_ANSWERS = { outputTokens: { median: 1_000, sigma: 0.4 } } as const

/** Shares of the limit that are billed when answers grow, and when somebody is killed. */
export const GROWTH_AT = 0.4
export const KILL_AT = 0.5

/** Longer than a guard may be silent, shorter than anybody would wait for this verification. */
export const SETTLE_AFTER_S = 35
