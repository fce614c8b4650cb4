import { type BudgetStatus, parseShortBudget, type ShortBudget } from '@tokenfuse/protocol'
import { runBudgetId } from '@tokenfuse/protocol/names'
import type { ProcessorClient } from '../processor/client.ts'
import type { RunEnvironment } from './environment.ts'

/**
 * Reads the budgets that a run is given.
 * @throws TokenfuseError `bad_request`
 */
export function readRunBudgets(texts: readonly string[]): readonly ShortBudget[] {
  return texts.map(parseShortBudget)
}

/** The budgets of one run: in force for its calls alone, and as long as it. */
export class RunBudgets {
  readonly #budgets: readonly ShortBudget[]
  readonly #own: RunEnvironment['own']

  constructor(budgets: readonly ShortBudget[], own: RunEnvironment['own']) {
    this.#budgets = budgets
    this.#own = own
  }

  async put(client: ProcessorClient): Promise<void> {
    const { name, value } = this.#own.tag
    for (const [index, budget] of this.#budgets.entries()) {
      await client.putBudget(this.#id(index), { ...budget, match: { [`tag.${name}`]: value } })
    }
  }

  /** How full they are, the fullest scopes first. */
  async statuses(client: ProcessorClient): Promise<readonly BudgetStatus[]> {
    if (this.#budgets.length === 0) return []
    const ids = this.#budgets.map((_, index) => this.#id(index))
    return (await client.status(ids)).budgets
  }

  /** Takes them away. Those that are gone already are no error. */
  async remove(client: ProcessorClient): Promise<void> {
    for (const index of this.#budgets.keys()) {
      await client.removeBudget(this.#id(index)).catch((error: unknown) => {
        if (!isNotFound(error)) throw error
      })
    }
  }

  #id(index: number): string {
    return runBudgetId(this.#own.id, index)
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'not_found'
}
