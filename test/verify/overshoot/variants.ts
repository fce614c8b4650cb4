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

/** Over 200 calls as they are offered, and less than a third of them all. */
export const LIMITS: Readonly<Record<Unit, bigint>> = {
  tokens: 200_000n,
  picoUsd: 1_750_000_000_000n,
}

/** Calls that are over, of 1,024, when the processor is killed: about half of the limit is spent by then. */
export const KILL_AFTER_CALLS = 400

/** Longer than a guard may be silent, shorter than anybody would wait for this verification. */
export const SETTLE_AFTER_S = 35
