import type { Charge, UsageEvent, UsageTotals } from '@tokenfuse/protocol'
import { type Amount, amountFrom, minus, plus } from './amount.ts'
import { addCells, AMOUNT_WIDTH, amountAt, setAmountAt } from './amount-cells.ts'
import { NumberRows } from './number-rows.ts'

/** Where each count stands in a row; each cost takes two places after them. */
const AT = Object.freeze({
  calls: 0,
  estimatedCalls: 1,
  unpricedCalls: 2,
  refusedCalls: 3,
  inputTokens: 4,
  cacheReadTokens: 5,
  cacheWriteTokens: 6,
  outputTokens: 7,
  reasoningTokens: 8,
  inputCost: 9,
  outputCost: 11,
  otherCost: 13,
})
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
  readonly numbers = newSums()
  isRefusal = false
  /** Billed tokens, whichever model of the call billed them. */
  inputTokens = 0
  outputTokens = 0
  /** In pico-USD. */
  cost: Amount = 0

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
  }
}

/** Whether the guard refused the call, so that it reached nobody and cost nothing. */
export function isRefused(event: UsageEvent): boolean {
  return event.verdict !== null && REFUSALS.has(event.verdict.action) && event.responseId === null
}
const REFUSALS: ReadonlySet<string> = new Set(['throttle', 'pause', 'block', 'kill'])

/** Sums of many lines, by number of the line. */
export class SumsStore {
  readonly #rows = new NumberRows(WIDTH)

  /** A line of zeros. */
  allocate(): number {
    return this.#rows.allocate().row
  }

  free(line: number): void {
    this.#rows.free(line)
  }

  add(line: number, { numbers }: CallAmounts): void {
    addSums(this.#rows.numbersOf(line), this.#rows.placeOf(line), numbers, 0)
  }

  /** Adds a line to another. */
  addLine(to: number, line: number): void {
    this.addInto(this.#rows.numbersOf(to), line, this.#rows.placeOf(to))
  }

  /** Adds a line to numbers that `newSums` made, or to a place among others. */
  addInto(numbers: Float64Array, line: number, to = 0): void {
    addSums(numbers, to, this.#rows.numbersOf(line), this.#rows.placeOf(line))
  }

  readJson(line: number): SumsJson {
    const sums = newSums()
    this.addInto(sums, line)
    const { inputCost, outputCost, otherCost, ...counts } = namedSums(sums)
    return {
      ...counts,
      inputCost: String(inputCost),
      outputCost: String(outputCost),
      otherCost: String(otherCost),
    }
  }

  write(line: number, json: SumsJson): void {
    const numbers = this.#rows.numbersOf(line)
    const from = this.#rows.placeOf(line)
    for (const name of COUNTS) numbers[from + AT[name]] = json[name]
    for (const name of COSTS) setAmountAt(numbers, from + AT[name], amountFrom(json[name]))
  }
}

function addSums(to: Float64Array, toAt: number, from: Float64Array, fromAt: number): void {
  for (let index = 0; index < AT.inputCost; index++) {
    to[toAt + index] = (to[toAt + index] as number) + (from[fromAt + index] as number)
  }
  for (let cost = AT.inputCost; cost < WIDTH; cost += AMOUNT_WIDTH) {
    addCells(to, toAt + cost, from, fromAt + cost)
  }
}

/** Zeros, to add rows of a store to. */
export function newSums(): Float64Array {
  return new Float64Array(WIDTH)
}

export function namedSums(numbers: Float64Array): Sums {
  const sums: Partial<Record<string, number | bigint>> = {}
  for (const name of COUNTS) sums[name] = numbers[AT[name]] as number
  for (const name of COSTS) sums[name] = BigInt(amountAt(numbers, AT[name]))
  return sums as Sums
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
