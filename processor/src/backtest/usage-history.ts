import { UNKNOWN, type UsageEvent } from '@tokenfuse/protocol'
import { isRefused } from '../governor/usage-sums.ts'

const MAX_AGENTS = 1000
const MAX_TASKS = 500_000
const DAY_LENGTH = '2026-01-31'.length

type ByDay = Map<string, bigint>

/** What recorded calls cost by day, by agent and day, and by task; days of UTC, amounts in pico-USD. */
export class UsageHistory {
  readonly days: ByDay = new Map()
  readonly agents = new Map<string, ByDay>()
  readonly tasks = new Map<string, bigint>()
  /** Calls of agents and tasks beyond what is kept. */
  leftOut = 0

  add(event: UsageEvent): void {
    if (isRefused(event)) return
    const { agent, task, time } = event
    const cost = BigInt(event.costPicoUsd)
    const day = time.slice(0, DAY_LENGTH)
    addTo(this.days, day, cost)
    let days = this.agents.get(agent)
    if (!days && this.agents.size < MAX_AGENTS) this.agents.set(agent, (days = new Map()))
    if (days) addTo(days, day, cost)
    else this.leftOut++
    if (task === UNKNOWN) return
    const key = `${agent}\u0000${task}`
    if (this.tasks.has(key) || this.tasks.size < MAX_TASKS) addTo(this.tasks, key, cost)
    else this.leftOut++
  }
}

function addTo(sums: Map<string, bigint>, key: string, cost: bigint): void {
  sums.set(key, (sums.get(key) ?? 0n) + cost)
}
