import { type TaskEnd, type TaskOutcome, UNKNOWN } from '@tokenfuse/protocol'
import { type Amount, amountFrom, plus } from './amount.ts'
import { NEW_ROW, type Row, type StateChange, type StateRecord, Table } from './table.ts'

/** Ended tasks whose usage may still grow, since spans come later than the end; beyond it the oldest are settled. */
const MAX_ENDED = 20_000
/** Agents and task types that are told apart; the rest is told together. */
const MAX_COSTS = 10_000
const OTHERS = '(others)'
const SEPARATOR = '\u0000'

/** What the calls of one task, or of several, used. */
export type TaskUsage = { readonly calls: number; readonly tokens: number; readonly cost: Amount }

/** What the tasks of an agent and type used that ended in some way. */
export type TaskCost = TaskUsage & {
  readonly agent: string
  readonly taskType: string
  readonly outcome: TaskOutcome
  readonly tasks: number
}

type EndedTask = Row & Pick<TaskCost, 'agent' | 'taskType' | 'outcome'>
type CostRow = Row & { -readonly [Field in keyof TaskCost]: TaskCost[Field] }
type CostJson = Omit<CostRow, 'key' | 'isChanged' | 'isGone' | 'cost'> & { cost: string }

export type TaskEndsOptions = {
  readonly nextOrder: () => number
  /** What a task's calls used so far, whichever agents made them. */
  readonly usageOf: (task: string) => TaskUsage
  readonly maxEnded?: number
  readonly maxCosts?: number
}

/** How tasks ended, as their apps said, and what they cost. A task ends once; that it ends again changes nothing. */
export class TaskEnds {
  readonly #options: TaskEndsOptions
  /** By task. */
  readonly #ended = new Table<EndedTask>('task-end', {
    encode: ({ order, agent, taskType, outcome }) => ({ order, agent, taskType, outcome }),
    decode: (json: Omit<EndedTask, 'key'>, key: string) => ({ ...json, key, ...NEW_ROW }),
  })
  readonly #costs = new Table<CostRow>('task-cost', {
    encode: ({ key: _key, isChanged: _isChanged, isGone: _isGone, ...row }) => {
      return { ...row, cost: String(row.cost) }
    },
    decode: (json: CostJson, key: string) => {
      return { ...json, key, cost: amountFrom(json.cost), ...NEW_ROW }
    },
  })
  /** Ends that were told together with others. */
  evicted = 0

  constructor(options: TaskEndsOptions) {
    this.#options = options
  }

  end({ task, agent, taskType, outcome }: TaskEnd): void {
    if (this.#ended.get(task)) return
    const order = this.#options.nextOrder()
    this.#ended.set({ key: task, order, agent, taskType: taskType ?? UNKNOWN, outcome, ...NEW_ROW })
    const oldest = this.#ended.size > (this.#options.maxEnded ?? MAX_ENDED) && this.#ended.oldest()
    if (!oldest) return
    this.#settle(oldest)
    this.#ended.delete(oldest)
  }

  #settle(ended: EndedTask): void {
    const { calls, tokens, cost } = this.#options.usageOf(ended.key)
    const row = this.#costRow(ended)
    row.tasks++
    row.calls += calls
    row.tokens += tokens
    row.cost = plus(row.cost, cost)
    this.#costs.touch(row)
  }

  #costRow(names: Pick<TaskCost, 'agent' | 'taskType' | 'outcome'>): CostRow {
    const { agent, taskType, outcome } = names
    const key = [agent, taskType, outcome].join(SEPARATOR)
    const known = this.#costs.get(key)
    if (known) return known
    if (this.#costs.size >= (this.#options.maxCosts ?? MAX_COSTS) && agent !== OTHERS) {
      this.evicted++
      return this.#costRow({ agent: OTHERS, taskType: OTHERS, outcome })
    }
    const order = this.#options.nextOrder()
    const sums = { tasks: 0, calls: 0, tokens: 0, cost: 0 }
    const row = { key, order, agent, taskType, outcome, ...sums, ...NEW_ROW }
    this.#costs.set(row)
    return row
  }

  /** Each ended task by itself, or those that were settled together. */
  *costs(): Generator<TaskCost> {
    yield* this.#costs.values()
    for (const { key, agent, taskType, outcome } of this.#ended.values()) {
      yield { agent, taskType, outcome, tasks: 1, ...this.#options.usageOf(key) }
    }
  }

  takeChanges(): StateChange[] {
    return [...this.#ended.takeChanges(), ...this.#costs.takeChanges()]
  }

  /** @param recordsOf by the prefix of their keys */
  restore(recordsOf: (prefix: string) => readonly StateRecord[]): void {
    this.#ended.restore(recordsOf(this.#ended.prefix))
    this.#costs.restore(recordsOf(this.#costs.prefix))
  }
}
