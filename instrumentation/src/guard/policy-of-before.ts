import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Budget } from '@tokenfuse/protocol/names'
import { openSpoolFolder, spoolFolder } from '../telemetry/spool/spool-folder.ts'
import { destinationsOf, processorTarget } from '../transport/target.ts'
import type { Surroundings } from '../transport/target.ts'
import type { KnownRate } from './credit/without-governor.ts'

const FILE_BYTES_MAX = 1024 * 1024
const RATES_MAX = 200

/** What is known of budgets and prices without asking. */
export type KnownBefore = {
  readonly budgets: readonly Budget[]
  readonly rates: readonly KnownRate[]
}

/**
 * The last policy that any process of this user heard from its processor, and prices that it told, on disk: a process
 * that starts while the processor is away knows at least which budgets there are, what each says of that, and what
 * calls cost.
 */
export class PolicyOfBefore {
  readonly #surroundings: Surroundings

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings
  }

  /** `null` where there is none, or none that can be read. */
  read(): KnownBefore | null {
    try {
      const text = readFileSync(this.#path(), 'utf8')
      if (text.length > FILE_BYTES_MAX) return null
      const { v, budgets, rates } = JSON.parse(text) as Record<string, unknown>
      if (v !== 1 || !Array.isArray(budgets)) return null
      return {
        budgets: budgets as Budget[],
        rates: Array.isArray(rates) ? (rates as KnownRate[]) : [],
      }
    } catch {
      return null
    }
  }

  /** Never throws: without the file the next process waits a little, or does as it is told for that case. */
  writeBudgets(budgets: readonly Budget[]): void {
    this.#write({ budgets, rates: this.read()?.rates ?? [] })
  }

  /** As `writeBudgets`. Prices that other processes have told stay, the oldest of them as long as there is room. */
  writeRates(rates: readonly KnownRate[]): void {
    const before = this.read()
    if (before === null) return
    const isNew = ({ provider, model }: KnownRate) =>
      !rates.some((rate) => rate.provider === provider && rate.model === model)
    const all = [...rates, ...before.rates.filter(isNew)].slice(0, RATES_MAX)
    this.#write({ budgets: before.budgets, rates: all })
  }

  #write(known: KnownBefore): void {
    try {
      const path = this.#path()
      openSpoolFolder(spoolFolder(this.#surroundings.environment))
      const draft = `${path}.${process.pid}`
      writeFileSync(draft, JSON.stringify({ v: 1, ...known }), { mode: 0o600 })
      renameSync(draft, path)
    } catch {
      // A full disk, a folder that is not ours.
    }
  }

  #path(): string {
    const [destination] = destinationsOf(processorTarget(this.#surroundings))
    return join(spoolFolder(this.#surroundings.environment).directory, `policy-${destination}.json`)
  }
}
