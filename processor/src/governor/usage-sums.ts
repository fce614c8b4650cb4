import type { Charge, UsageEvent, UsageTotals } from '@tokenfuse/protocol'
import { type Amount, amountFrom, minus, plus } from './amount.ts'
import { addCells, amountAt, setAmountAt } from './amount-cells.ts'
import { type NumberRow, NumberRows } from './number-rows.ts'

/**
 * Where each count stands in a row; each cost takes two places. What nearly every call adds to comes first, so that
 * the rest of the row is mostly left alone: getting at it takes longer than adding.
 */
const AT = Object.freeze({
  calls: 0,
  inputTokens: 1,
  cacheReadTokens: 2,
  outputTokens: 3,
  inputCost: 4,
  outputCost: 6,
  cacheWriteTokens: 8,
  reasoningTokens: 9,
  estimatedCalls: 10,
  unpricedCalls: 11,
  refusedCalls: 12,
  otherCost: 13,
})
const RARE_FROM = AT.cacheWriteTokens
const WIDTH = 15

const COSTS = ['inputCost', 'outputCost', 'otherCost'] as const
type Cost = (typeof COSTS)[number]
type Count = Exclude<keyof typeof AT, Cost>
const COUNTS = (Object.keys(AT) as (keyof typeof AT)[]).filter(
  (name): name is Count => !COSTS.includes(name as Cost),
)

/** Sums over calls, by name. */
export type Sums = Record<Count, number> & Record<Cost, bigint>

export type SumsJson = Record<Count, number> & Record<Cost, string>

/** What one call after another adds to each sum that it counts in. */
export class CallAmounts {
  readonly numbers = new Float64Array(WIDTH)
  isRefusal = false
  /** Billed tokens, whichever model of the call billed them. */
  inputTokens = 0
  outputTokens = 0
  /** In pico-USD. */
  cost: Amount = 0
  /** Whether it adds to any of the sums that few calls add to. */
  isRare = false

  /** 0 where it was refused, or counted before. */
  get calls(): number {
    return this.numbers[AT.calls] as number
  }

  load(event: UsageEvent): void {
    const { tokens, charges } = event
    let inputCost: Amount = 0
    let outputCost: Amount = 0
    this.inputTokens = 0
    this.outputTokens = 0
    for (let index = 0; index < charges.length; index++) {
      const { kind, unit, quantity, picoUsd } = charges[index] as Charge
      if (kind === 'output') {
        this.outputTokens += quantity
        outputCost = plus(outputCost, amountFrom(picoUsd))
      } else if (unit === 'token') {
        this.inputTokens += quantity
        inputCost = plus(inputCost, amountFrom(picoUsd))
      }
    }
    this.isRefusal = isRefused(event)
    this.cost = amountFrom(event.costPicoUsd)
    const otherCost = minus(this.cost, plus(inputCost, outputCost))
    const isEstimate = event.source === 'estimate' || event.source === 'partial'
    const { numbers } = this
    numbers[AT.calls] = this.isRefusal ? 0 : 1
    numbers[AT.estimatedCalls] = isEstimate ? 1 : 0
    numbers[AT.unpricedCalls] = event.priced === 'exact' ? 0 : 1
    numbers[AT.refusedCalls] = this.isRefusal ? 1 : 0
    numbers[AT.inputTokens] = this.inputTokens
    numbers[AT.cacheReadTokens] = tokens.cacheRead ?? 0
    numbers[AT.cacheWriteTokens] = (tokens.cacheWrite ?? 0) + (tokens.cacheWrite1h ?? 0)
    numbers[AT.outputTokens] = this.outputTokens
    numbers[AT.reasoningTokens] = tokens.reasoning ?? 0
    setAmountAt(numbers, AT.inputCost, inputCost)
    setAmountAt(numbers, AT.outputCost, outputCost)
    setAmountAt(numbers, AT.otherCost, otherCost)
    this.#findRare()
  }

  /** What one telling of a call adds to another; the call itself was counted. */
  loadDifference(counted: UsageEvent, better: UsageEvent): void {
    this.load(counted)
    const { inputTokens, outputTokens, cost } = this
    const before = this.numbers.slice()
    this.load(better)
    this.inputTokens -= inputTokens
    this.outputTokens -= outputTokens
    this.cost = minus(this.cost, cost)
    const { numbers } = this
    for (const name of COUNTS) {
      const at = AT[name]
      numbers[at] = (numbers[at] as number) - (before[at] as number)
    }
    for (const name of COSTS) {
      const at = AT[name]
      setAmountAt(numbers, at, minus(amountAt(numbers, at), amountAt(before, at)))
    }
    this.#findRare()
  }

  #findRare(): void {
    this.isRare = false
    for (let at = RARE_FROM; at < WIDTH; at++) if (this.numbers[at] !== 0) this.isRare = true
  }
}

/** Whether the guard refused the call, so that it reached nobody and cost nothing. */
export function isRefused(event: UsageEvent): boolean {
  return event.verdict !== null && REFUSALS.has(event.verdict.action) && event.responseId === null
}
const REFUSALS: ReadonlySet<string> = new Set(['throttle', 'pause', 'block', 'kill'])

/** Where the sums of a line of usage stand. */
export type SumsPlace = Pick<NumberRow, 'numbers' | 'at'>

export function sumsRows(): NumberRows {
  return new NumberRows(WIDTH)
}

export function addCall({ numbers, at }: SumsPlace, call: CallAmounts): void {
  addUsual(numbers, at, call.numbers, 0)
  if (call.isRare) addRare(numbers, at, call.numbers, 0)
}

/** Adds what stands at one place to what stands at another. */
export function addSums(to: SumsPlace, { numbers, at }: SumsPlace): void {
  addUsual(to.numbers, to.at, numbers, at)
  addRare(to.numbers, to.at, numbers, at)
}

/** Zeros, to add to. */
export function newSums(): SumsPlace {
  return { numbers: new Float64Array(WIDTH), at: 0 }
}

export function namedSums({ numbers, at }: SumsPlace): Sums {
  const sums: Partial<Record<string, number | bigint>> = {}
  for (const name of COUNTS) sums[name] = numbers[at + AT[name]] as number
  for (const name of COSTS) sums[name] = BigInt(amountAt(numbers, at + AT[name]))
  return sums as Sums
}

export function sumsToJson(place: SumsPlace): SumsJson {
  const { inputCost, outputCost, otherCost, ...counts } = namedSums(place)
  return {
    ...counts,
    inputCost: String(inputCost),
    outputCost: String(outputCost),
    otherCost: String(otherCost),
  }
}

export function setSums({ numbers, at }: SumsPlace, json: SumsJson): void {
  for (const name of COUNTS) numbers[at + AT[name]] = json[name]
  for (const name of COSTS) setAmountAt(numbers, at + AT[name], amountFrom(json[name]))
}

function addUsual(to: Float64Array, toAt: number, from: Float64Array, fromAt: number): void {
  for (let at = 0; at < AT.inputCost; at++) {
    to[toAt + at] = (to[toAt + at] as number) + (from[fromAt + at] as number)
  }
  addCells(to, toAt + AT.inputCost, from, fromAt + AT.inputCost)
  addCells(to, toAt + AT.outputCost, from, fromAt + AT.outputCost)
}

function addRare(to: Float64Array, toAt: number, from: Float64Array, fromAt: number): void {
  for (let at = RARE_FROM; at < AT.otherCost; at++) {
    to[toAt + at] = (to[toAt + at] as number) + (from[fromAt + at] as number)
  }
  addCells(to, toAt + AT.otherCost, from, fromAt + AT.otherCost)
}

export const costOf = (sums: Sums) => sums.inputCost + sums.outputCost + sums.otherCost

export function totalsOf(sums: Sums): UsageTotals {
  const { inputCost, outputCost, otherCost: _, ...counts } = sums
  return {
    ...counts,
    totalTokens: sums.inputTokens + sums.outputTokens,
    inputCostPicoUsd: inputCost.toString(),
    outputCostPicoUsd: outputCost.toString(),
    costPicoUsd: costOf(sums).toString(),
  }
}
