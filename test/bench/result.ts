/** One figure of a bench, beside what it is compared with in the same run. */
export type BenchResult = {
  readonly name: string
  readonly unit: string
  readonly value: number
  /** As the design states it: a bound, not a wish. */
  readonly target: string
  readonly baseline: { readonly name: string; readonly value: number } | null
  /** Value divided by baseline; `null` without one. */
  readonly ratio: number | null
  /** `null` where the target is a ratio of another kind or there is none. */
  readonly pass: boolean | null
  /** How many measurements stand behind the value. */
  readonly count: number
}

/** Names and the function that measures them; several figures may come from one measurement. */
export type Bench = {
  readonly names: readonly string[]
  readonly run: () => Promise<readonly BenchResult[]>
}

type Measured = {
  readonly name: string
  readonly unit: string
  readonly value: number
  readonly count: number
  readonly baseline?: { readonly name: string; readonly value: number }
}

export function atMost(target: number, measured: Measured): BenchResult {
  return result(measured, `<= ${target}`, measured.value <= target)
}

export function atLeast(target: number, measured: Measured): BenchResult {
  return result(measured, `>= ${target}`, measured.value >= target)
}

function result(measured: Measured, target: string, pass: boolean): BenchResult {
  const baseline = measured.baseline ?? null
  const ratio = baseline && baseline.value !== 0 ? measured.value / baseline.value : null
  return { ...measured, target, baseline, ratio, pass }
}
