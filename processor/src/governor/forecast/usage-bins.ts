import { type ForecastPlan, ringBins } from './plan.ts'

/** A ring of amounts over bins of equal length. Plain JSON. */
export type UsageBins = {
  /** What bins begin at beyond a multiple of their length, ms. */
  readonly phaseMs: number
  /** Number of the newest bin that was written, counted from 1970. */
  newest: number
  /** The amount of a bin stands at its number modulo the length. */
  readonly amounts: number[]
}

/** @param startMs the start of a window: bins begin with it */
export function emptyBins(plan: ForecastPlan, startMs: number): UsageBins {
  const phaseMs = startMs - Math.floor(startMs / plan.binMs) * plan.binMs
  const newest = binAt(plan, phaseMs, startMs)
  return { phaseMs, newest, amounts: Array.from({ length: ringBins(plan) }, () => 0) }
}

/**
 * @param amount whole, so that the order of usage does not matter; negative where earlier usage is corrected
 * @returns false where the time is older than the ring, and nothing was added
 */
export function addToBins(
  bins: UsageBins,
  plan: ForecastPlan,
  timeMs: number,
  amount: number,
): boolean {
  const { amounts } = bins
  const bin = binAt(plan, bins.phaseMs, timeMs)
  if (bin <= bins.newest - amounts.length) return false
  const cleared = Math.max(bins.newest, bin - amounts.length)
  for (let fresh = cleared + 1; fresh <= bin; fresh++) amounts[fresh % amounts.length] = 0
  bins.newest = Math.max(bins.newest, bin)
  amounts[bin % amounts.length] = (amounts[bin % amounts.length] ?? 0) + amount
  return true
}

export function binAt(plan: ForecastPlan, phaseMs: number, timeMs: number): number {
  return Math.floor((timeMs - phaseMs) / plan.binMs)
}

/** What was used until a moment, as it was known then. */
export class UsageView {
  readonly nowMs: number
  readonly #plan: ForecastPlan
  readonly #phaseMs: number
  readonly #oldest: number
  readonly #nowBin: number
  /** Sums of all bins before each, from the oldest on. */
  readonly #sums: Float64Array
  readonly #isActive: Uint8Array

  constructor(bins: UsageBins, plan: ForecastPlan, nowMs: number) {
    this.nowMs = nowMs
    this.#plan = plan
    this.#phaseMs = bins.phaseMs
    this.#nowBin = binAt(plan, bins.phaseMs, nowMs)
    const { length } = bins.amounts
    this.#oldest = this.#nowBin - length + 1
    this.#sums = new Float64Array(length + 1)
    this.#isActive = new Uint8Array(length)
    let sum = 0
    for (let index = 0; index < length; index++) {
      const bin = this.#oldest + index
      const isKept = bin <= bins.newest && bin > bins.newest - length
      const amount = isKept ? Math.max(0, bins.amounts[bin % length] ?? 0) : 0
      if (amount > 0) this.#isActive[index] = 1
      sum += amount
      this.#sums[index + 1] = sum
    }
  }

  /** Usage from `fromMs` on and before `untilMs`; a bin that is cut gives its share. */
  between(fromMs: number, untilMs: number): number {
    return this.#before(untilMs) - this.#before(fromMs)
  }

  #before(timeMs: number): number {
    const { binMs } = this.#plan
    const atMs = Math.min(timeMs, this.nowMs)
    const place = (atMs - this.#phaseMs) / binMs
    const bin = Math.floor(place)
    const index = bin - this.#oldest
    if (index < 0) return 0
    const before = this.#sums[index] ?? 0
    const share = place - bin
    if (share === 0) return before
    // The bin that runs holds what came so far, not what comes in its whole length.
    const lengthShare = bin === this.#nowBin ? (this.nowMs - this.#phaseMs) / binMs - bin : 1
    return before + ((this.#sums[index + 1] ?? 0) - before) * (share / lengthShare)
  }

  /** The share of bins with usage, of those that lie whole between the times; 0 where there are none. */
  activeShare(fromMs: number, untilMs: number): number {
    const { binMs } = this.#plan
    const from = Math.ceil((fromMs - this.#phaseMs) / binMs) - this.#oldest
    const until = binAt(this.#plan, this.#phaseMs, untilMs) - this.#oldest
    let active = 0
    let count = 0
    for (let index = Math.max(0, from); index < until; index++) {
      active += this.#isActive[index] ?? 0
      count++
    }
    return count === 0 ? 0 : active / count
  }
}
