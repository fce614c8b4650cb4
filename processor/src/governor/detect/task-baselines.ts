import { NEW_ROW, type StateChange, type StateRecord } from '../table.ts'
import { NO_LINKS, type RecentRow, RecentTable } from './recent-table.ts'
import {
  emptyBaseline,
  type FinishedTask,
  learnTask,
  type Limits,
  limitsOf,
  MIN_TASKS,
  type TaskBaseline,
} from './task-baseline.ts'

/** So many finished tasks are measure enough not to ask for a wider circle. */
const ENOUGH_TASKS = 200
/** An agent that is not known yet may spend this many times what others do. */
const OTHERS_FACTOR = 2
const MIN_TASKS_OF_OTHERS = 30
const MAX_BASELINES = 4096
const SEPARATOR = '\u0000'
/** No agent is called so. */
const EVERYONE = ''

type BaselineRow = RecentRow & {
  readonly baseline: TaskBaseline
  /** With the limits of the baseline as it is; `null` until asked for. */
  measure: Measure | null
}

/** What a task is held against. */
export type Measure = {
  /** Names the baseline, as long as it is kept. */
  readonly key: string
  /** Whose tasks they are: of the same agent, or of all. */
  readonly of: 'agent' | 'everyone'
  readonly baseline: TaskBaseline
  readonly limits: Limits
  /** By which the limits are to be multiplied. */
  readonly factor: number
}

/** What finished tasks spent: by agent, task type and model; by agent and model; by agent; and of all. */
export class TaskBaselines {
  readonly #table = new RecentTable<BaselineRow>('task-baseline', {
    encode: ({ order, lastUse, baseline }) => ({ order, lastUse, baseline }),
    decode: (json: Pick<BaselineRow, 'order' | 'lastUse' | 'baseline'>, key: string) => ({
      ...json,
      key,
      measure: null,
      ...NEW_ROW,
      ...NO_LINKS,
    }),
  })
  readonly #maxBaselines: number
  evicted = 0

  constructor(maxBaselines = MAX_BASELINES) {
    this.#maxBaselines = maxBaselines
  }

  get prefix(): string {
    return this.#table.prefix
  }

  /** The best measure for tasks of an agent; `null` while there is none. */
  measureFor(agent: string, taskType: string | null, model: string): Measure | null {
    const everyone = this.#table.get(EVERYONE)
    // Whatever was learned of an agent was learned of all.
    if (!everyone || everyone.baseline.tasks < MIN_TASKS) return null
    let best: BaselineRow | undefined
    for (const key of keysOf(agent, taskType, model)) {
      const row = this.#table.get(key)
      if (!row || row.baseline.tasks < MIN_TASKS) continue
      if (row.baseline.tasks >= ENOUGH_TASKS) return measureOf(row)
      if (!best || row.baseline.tasks > best.baseline.tasks) best = row
    }
    if (best) return measureOf(best)
    if (everyone.baseline.tasks < MIN_TASKS_OF_OTHERS) return null
    return measureOf(everyone)
  }

  /** The measure that a key names, with what was learned since; `null` where it is not kept any more. */
  measureAt(key: string): Measure | null {
    const row = this.#table.get(key)
    return row ? measureOf(row) : null
  }

  learn(agent: string, taskType: string | null, model: string, task: FinishedTask): void {
    for (const key of [...keysOf(agent, taskType, model), EVERYONE]) {
      const row = this.#table.get(key) ?? this.#make(key)
      if (!learnTask(row.baseline, task)) continue
      row.measure = null
      this.#table.use(row)
    }
  }

  #make(key: string): BaselineRow {
    const use = this.#table.nextUse()
    const baseline = emptyBaseline()
    const row: BaselineRow = {
      key,
      order: use,
      lastUse: use,
      baseline,
      measure: null,
      ...NEW_ROW,
      ...NO_LINKS,
    }
    this.#table.add(row)
    const oldest = this.#table.size > this.#maxBaselines ? this.#table.oldest() : null
    if (oldest) {
      this.#table.delete(oldest)
      this.evicted++
    }
    return row
  }

  takeChanges(): StateChange[] {
    return this.#table.takeChanges()
  }

  restore(records: readonly StateRecord[]): void {
    this.#table.restore(records)
  }
}

/** From the narrowest circle to the widest. */
function keysOf(agent: string, taskType: string | null, model: string): string[] {
  const wide = [`${agent}${SEPARATOR}${SEPARATOR}${model}`, agent]
  return taskType === null ? wide : [[agent, taskType, model].join(SEPARATOR), ...wide]
}

function measureOf(row: BaselineRow): Measure {
  const { key, baseline } = row
  row.measure ??= {
    key,
    of: key === EVERYONE ? 'everyone' : 'agent',
    baseline,
    limits: limitsOf(baseline),
    factor: key === EVERYONE ? OTHERS_FACTOR : 1,
  }
  return row.measure
}
