import { UNKNOWN, type UsageEvent, zoneAround } from '@tokenfuse/protocol'
import { DayNames } from '../governor/day-names.ts'
import { msFromIso } from '../governor/iso-time.ts'
import { isRefused } from '../governor/usage-sums.ts'

const MAX_AGENTS = 1000
const MAX_TASKS = 500_000

type ByDay = Map<string, bigint>

/** What limits are proposed in. */
export type SuggestedUnit = 'usd' | 'tokens'

/** What recorded calls used by day, by agent and day, and by task; in pico-USD or tokens. */
export class UsageHistory {
  readonly days: ByDay = new Map()
  readonly agents = new Map<string, ByDay>()
  readonly tasks = new Map<string, bigint>()
  /** Calls of agents and tasks beyond what is kept. */
  leftOut = 0
  readonly #timezone: string
  readonly #unit: SuggestedUnit
  #dayNames: DayNames | null = null

  /** @param timezone whose days are meant, as the policy names it */
  constructor(timezone: string, unit: SuggestedUnit) {
    this.#timezone = timezone
    this.#unit = unit
  }

  add(event: UsageEvent): void {
    if (isRefused(event)) return
    const { agent, task } = event
    const amount = this.#amountOf(event)
    const timeMs = msFromIso(event.time)
    this.#dayNames ??= new DayNames(zoneAround(this.#timezone, timeMs))
    const day = this.#dayNames.at(timeMs)
    addTo(this.days, day, amount)
    let days = this.agents.get(agent)
    if (!days && this.agents.size < MAX_AGENTS) this.agents.set(agent, (days = new Map()))
    if (days) addTo(days, day, amount)
    else this.leftOut++
    if (task === UNKNOWN) return
    const key = `${agent}\u0000${task}`
    if (this.tasks.has(key) || this.tasks.size < MAX_TASKS) addTo(this.tasks, key, amount)
    else this.leftOut++
  }

  #amountOf({ costPicoUsd, tokens }: UsageEvent): bigint {
    if (this.#unit === 'usd') return BigInt(costPicoUsd)
    return BigInt((tokens.input ?? 0) + (tokens.output ?? 0))
  }
}

function addTo(sums: Map<string, bigint>, key: string, amount: bigint): void {
  sums.set(key, (sums.get(key) ?? 0n) + amount)
}
