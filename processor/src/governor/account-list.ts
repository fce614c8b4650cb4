import type { GuardAccount } from './account.ts'

/** Longer lists are looked up in a map. */
const SCANNED = 8
const NONE: readonly GuardAccount[] = Object.freeze([])

/**
 * The accounts of one counter, at most one a guard, in the order in which they were opened. Most counters have one or
 * none, so a list is made for the second, and a map when there are many.
 */
export class AccountList {
  #first: GuardAccount | null = null
  #all: GuardAccount[] | null = null
  #byGuard: Map<string, GuardAccount> | null = null

  /** Says nothing, but to read it brings the first account near. */
  get near(): number {
    return this.#first === null ? 0 : this.#first.usedAtMs
  }

  /** The same for its row. */
  get firstNumber(): number {
    return this.#first === null ? 0 : this.#first.firstNumber
  }

  get size(): number {
    return this.#all?.length ?? (this.#first === null ? 0 : 1)
  }

  get(guard: string): GuardAccount | null {
    if (this.#first?.guard === guard) return this.#first
    if (this.#byGuard) return this.#byGuard.get(guard) ?? null
    return this.#all?.find((account) => account.guard === guard) ?? null
  }

  /** Adds an account of a guard that has none here. */
  add(account: GuardAccount): void {
    if (this.#first === null) this.#first = account
    else if (this.#all === null) this.#all = [this.#first, account]
    else {
      this.#all.push(account)
      if (this.#byGuard) this.#byGuard.set(account.guard, account)
      else if (this.#all.length > SCANNED) {
        this.#byGuard = new Map(this.#all.map((each) => [each.guard, each]))
      }
    }
  }

  delete(guard: string): GuardAccount | null {
    const account = this.get(guard)
    if (!account) return null
    const rest = this.all().filter((each) => each !== account)
    this.#first = null
    this.#all = null
    this.#byGuard = null
    for (const each of rest) this.add(each)
    return account
  }

  /** Not to be changed. */
  all(): readonly GuardAccount[] {
    return this.#all ?? (this.#first === null ? NONE : [this.#first])
  }
}
