import { UNKNOWN } from '@tokenfuse/protocol'
import type { UsageEvent } from '@tokenfuse/protocol'
import { hashOnto, type IdHash } from './id-hash.ts'

/** Steps that one counter remembers; beyond it, and beyond the bound of all, each call counts as a step. */
const MAX_STEPS_A_COUNTER = 10_000
const MAX_STEPS = 5_000_000

/** Steps that were counted on one counter, and which guards were charged for them, by hash. */
export type StepSet = Set<number>

/**
 * Which steps were counted where. A step is known by its agent, task, session, and number or name; a call that names no
 * step, or neither task nor session, is a step of its own, so that nothing unknown is free.
 */
export class CountedSteps {
  readonly #hash: IdHash = { a: 0, b: 0, c: 0, d: 0 }
  #size = 0
  /** Calls that were counted as steps because theirs could not be remembered. */
  forgotten = 0

  /** Whether a call is the first of its step on a counter, of all guards or of one; it is remembered as such. */
  isFirst(steps: StepSet, event: UsageEvent, guard: string | null): boolean {
    if (!namesStep(event)) return true
    const key = this.#key(event, guard)
    if (steps.has(key)) return false
    if (steps.size >= MAX_STEPS_A_COUNTER || this.#size >= MAX_STEPS) this.forgotten++
    else {
      steps.add(key)
      this.#size++
    }
    return true
  }

  /** A counter was restored with so many, or is gone with as many. */
  resize(change: number): void {
    this.#size += change
  }

  #key({ agent, task, session, step, stepName }: UsageEvent, guard: string | null): number {
    const hash = this.#hash
    hash.a = hash.b = hash.c = hash.d = 0
    for (const name of [guard ?? '', agent, task, session, String(step), stepName ?? '']) {
      hashOnto(hash, name)
    }
    // 53 bits, which a number holds exactly: two of 10,000 steps meet once in 10^8 counters.
    return (hash.a >>> 0) * 0x20_0000 + (hash.b >>> 11)
  }
}

function namesStep({ task, session, step, stepName }: UsageEvent): boolean {
  return (step !== null || stepName !== null) && (task !== UNKNOWN || session !== UNKNOWN)
}
