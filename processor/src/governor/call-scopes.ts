import {
  DIMENSIONS,
  type Dimension,
  type NamedDimension,
  type UsageEvent,
} from '@tokenfuse/protocol'
import type { RecentRow } from './detect/recent-table.ts'
import { Names, type Scope, ScopeIndex } from './scopes.ts'

/** Places of the dimensions in a call's names; tags that a policy counts over follow. */
export const SLOT = Object.freeze({
  tenant: 0,
  agent: 1,
  task: 2,
  taskType: 3,
  step: 4,
  user: 5,
  session: 6,
  /** The model asked for, which guards know too. */
  model: 7,
  provider: 8,
  service: 9,
  /** The model that answered. */
  answeredModel: 10,
}) satisfies Readonly<Record<NamedDimension | 'answeredModel', number>>
const NAMED_SLOTS = DIMENSIONS.length + 1

/**
 * One call after another by its names: the scopes that it counts in, for budgets and usage alike. All scopes are looked
 * up together, step by step, and the rows they lead to are read once before they are changed. With many scopes most of
 * the time of a call is waiting for memory, and the waits of reads that do not depend on each other pass at once.
 */
export class CallScopes {
  #names = new Names(NAMED_SLOTS)
  #tags: readonly string[] = []
  readonly #numbers = new Map<string, number>()
  #indexes: ScopeIndex[] = []
  /** Those that were asked for before there was a policy stay. */
  #permanent: number | null = null
  #hashes: number[] = []
  /** Says nothing; kept so that the reads are not left out as useless. */
  fetched = 0
  /** Of the call that was loaded, by the number that `numberOf` gave. */
  readonly scopes: (Scope | null)[] = []

  /**
   * Another policy is in force: numbers that were given since the last one are void.
   * @param tags names of the tags that its budgets ask for
   */
  reset(tags: readonly string[]): void {
    this.#tags = tags
    this.#names = new Names(NAMED_SLOTS + tags.length)
    this.#permanent ??= this.#indexes.length
    this.#indexes = this.#indexes.slice(0, this.#permanent)
    for (const [key, number] of this.#numbers) {
      if (number >= this.#permanent) this.#numbers.delete(key)
    }
  }

  /** The number of the scopes of some dimensions, the same for all who ask for the same ones. */
  numberOf(slots: readonly number[]): number {
    const key = slots.join()
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    const number = this.#indexes.push(new ScopeIndex(slots)) - 1
    this.#numbers.set(key, number)
    return number
  }

  slotOf(dimension: Dimension): number {
    if (!dimension.startsWith('tag.')) return SLOT[dimension as NamedDimension]
    const tag = this.#tags.indexOf(dimension.slice('tag.'.length))
    if (tag < 0) throw new Error(`the calls' names were made without ${dimension}`)
    return NAMED_SLOTS + tag
  }

  /** The call's name in a dimension, by its slot. */
  name(slot: number): string {
    return this.#names.values[slot] as string
  }

  load(event: UsageEvent): void {
    this.#loadNames(event)
    const names = this.#names
    const indexes = this.#indexes
    const hashes = this.#hashes
    const { scopes } = this
    for (let number = 0; number < indexes.length; number++) {
      const index = indexes[number] as ScopeIndex
      const hash = index.hashOf(names)
      hashes[number] = hash
      scopes[number] = index.guess(hash)
    }
    for (let number = 0; number < indexes.length; number++) {
      const scope = scopes[number]
      if (scope && scope.hash !== hashes[number]) scopes[number] = null
    }
    for (let number = 0; number < indexes.length; number++) {
      const index = indexes[number] as ScopeIndex
      const scope = scopes[number]
      if (scope && index.isNamed(scope, names)) continue
      scopes[number] = index.find(hashes[number] as number, names)
    }
    this.#fetchRows()
  }

  /** Reads a little of each row that the call will be counted in. */
  #fetchRows(): void {
    const { scopes } = this
    let sum = 0
    for (let number = 0; number < scopes.length; number++) {
      const { line, counter, run, feed } = scopes[number] as Scope
      if (line !== null) sum += line.at
      if (counter !== null) sum += counter.order
      if (run !== null) sum += run.lastMs
      if (feed !== null) sum += feed.tokens
    }
    for (let number = 0; number < scopes.length; number++) {
      const { line, counter, run } = scopes[number] as Scope
      if (line !== null) sum += line.numbers[line.at] as number
      if (counter !== null) sum += counter.firstNumber + (counter.bin?.amount ?? 0)
      // A run that is used again changes places with those beside it.
      if (run !== null) sum += run.last.tokens + timeOf(run.older) + timeOf(run.newer)
    }
    for (let number = 0; number < scopes.length; number++) {
      const { counter } = scopes[number] as Scope
      if (counter !== null) sum += counter.accounts.firstNumber
    }
    this.fetched = sum
  }

  #loadNames(event: UsageEvent): void {
    const names = this.#names
    names.set(SLOT.tenant, event.tenant)
    names.set(SLOT.agent, event.agent)
    names.set(SLOT.task, event.task)
    names.set(SLOT.taskType, event.taskType ?? 'unknown')
    names.set(SLOT.step, stepName(event))
    names.set(SLOT.user, event.user)
    names.set(SLOT.session, event.session)
    names.set(SLOT.model, event.requestModel)
    names.set(SLOT.provider, event.provider)
    names.set(SLOT.service, event.service)
    names.set(SLOT.answeredModel, event.responseModel ?? event.requestModel)
    for (let tag = 0; tag < this.#tags.length; tag++) {
      names.set(NAMED_SLOTS + tag, tagValue(event.tags, this.#tags[tag] as string))
    }
  }
}

const timeOf = (run: RecentRow | null) => run?.lastUse ?? 0

/** The name under which a step is counted: its own, or else its number. */
export function stepName(event: Pick<UsageEvent, 'step' | 'stepName'>): string {
  return event.stepName ?? (event.step === null ? 'unknown' : String(event.step))
}

/** Names come from outside: `constructor` must not find what every object has. */
function tagValue(tags: UsageEvent['tags'], name: string): string {
  return (Object.hasOwn(tags, name) ? tags[name] : null) ?? 'unknown'
}
