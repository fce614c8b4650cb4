import { type CallProfile, type ProfileAnswer, rateFromWire } from '@tokenfuse/protocol/names'
import type { KnownProfile } from './ask.ts'

const MAX_PROFILES = 1_000

/** What the governor has told of each kind of call, and what it is still to be asked. */
export class CallProfiles {
  readonly #known = new Map<string, KnownProfile>()
  readonly #wanted = new Map<string, CallProfile>()

  find(profile: CallProfile): KnownProfile | null {
    return this.#known.get(keyOf(profile)) ?? null
  }

  want(profile: CallProfile): void {
    if (this.#wanted.size < MAX_PROFILES) this.#wanted.set(keyOf(profile), profile)
  }

  learn(answers: readonly ProfileAnswer[]): void {
    for (const answer of answers) {
      const key = keyOf(answer)
      this.#wanted.delete(key)
      if (this.#known.size >= MAX_PROFILES) this.#known.clear()
      this.#known.set(key, { ...answer, rate: rateFromWire(answer.rate) })
    }
  }

  get isAnyWanted(): boolean {
    return this.#wanted.size > 0
  }

  /** Those not known yet, and those known, whose lengths may have changed. */
  toAsk(most: number): CallProfile[] {
    return [...this.#wanted.values(), ...this.#known.values()]
      .slice(0, most)
      .map(({ agent, step, provider, model }) => ({ agent, step, provider, model }))
  }
}

function keyOf({ provider, model, agent, step }: CallProfile): string {
  return [provider, model, agent, step].join('\u0000')
}
