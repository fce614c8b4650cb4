import { type Decision, type TaskEnd, UNKNOWN, type UsageEvent } from '@tokenfuse/protocol'
import { AmountSum } from './amount-sum.ts'
import type { HitTask, TasksResult } from './result.ts'

const MAX_TASKS = 200_000
const MAX_DEAREST = 50

type Hit = {
  readonly agent: string
  readonly task: string
  readonly decision: string
  readonly source: string
  readonly at: string
  readonly refused: AmountSum
  outcome: HitTask['outcome']
  /** Whether its last recorded call went well. */
  endsWell: boolean
}

/** The tasks of which calls would have been refused, and what became of them as they were recorded. */
export class HitTasks {
  readonly #hits = new Map<string, Hit>()
  #notFollowed = 0

  /** A call that would have been refused. @param source of the decision */
  refuse(event: UsageEvent, { id }: Decision, source: string): void {
    const { agent, task, time } = event
    if (task === UNKNOWN) return
    const key = keyOf(agent, task)
    let hit = this.#hits.get(key)
    if (!hit) {
      if (this.#hits.size >= MAX_TASKS) {
        this.#notFollowed++
        return
      }
      const refused = new AmountSum()
      hit = { agent, task, decision: id, source, at: time, refused, outcome: null, endsWell: true }
      this.#hits.set(key, hit)
    }
    hit.refused.add(event)
    hit.endsWell = event.error === null
  }

  /** A call that would have run. */
  allow({ agent, task, error }: UsageEvent): void {
    if (this.#hits.size === 0) return
    const hit = this.#hits.get(keyOf(agent, task))
    if (hit) hit.endsWell = error === null
  }

  end({ agent, task, outcome }: TaskEnd): void {
    const hit = this.#hits.get(keyOf(agent, task))
    if (hit) hit.outcome = outcome
  }

  result(): TasksResult {
    const ofCompleted = new AmountSum()
    let completedAsTold = 0
    let completedAsItLooks = 0
    for (const hit of this.#hits.values()) {
      if (!isCompleted(hit)) continue
      ofCompleted.addSum(hit.refused)
      if (hit.outcome === null) completedAsItLooks++
      else completedAsTold++
    }
    return {
      hit: this.#hits.size + this.#notFollowed,
      completedAsTold,
      completedAsItLooks,
      refusedOfCompleted: ofCompleted.amounts(),
      notFollowed: this.#notFollowed,
      dearest: this.#dearest(),
    }
  }

  #dearest(): HitTask[] {
    const byCost = [...this.#hits.values()].sort((a, b) =>
      a.refused.cost === b.refused.cost ? 0 : a.refused.cost < b.refused.cost ? 1 : -1,
    )
    return byCost.slice(0, MAX_DEAREST).map((hit) => {
      const { endsWell: _, refused, ...known } = hit
      return { ...known, refused: refused.amounts(), isCompleted: isCompleted(hit) }
    })
  }
}

const isCompleted = ({ outcome, endsWell }: Hit): boolean =>
  outcome === null ? endsWell : outcome === 'completed'

const keyOf = (agent: string, task: string) => `${agent}\u0000${task}`
