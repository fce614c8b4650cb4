import type { IdHash } from './id-hash.ts'

/** Parts that grow one by one, so that no single call has to move all ids. */
const PARTS = 64
const FIRST_SLOTS = 8
/** Of a part's slots, those that may be taken before it grows. */
const MAX_LOAD = 0.7

/** A part of the set: four numbers a slot, all 0 where it is free. */
type Part = { slots: Int32Array; size: number }

/** A set of ids by their hashes: 16 bytes each and some room, in few objects. */
export class IdSet {
  readonly #parts: (Part | undefined)[] = Array.from({ length: PARTS })
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Says nothing, but to read it brings the place of an id near. */
  near({ a, b }: IdHash): number {
    const slots = this.#parts[partOf(b)]?.slots
    return slots === undefined ? 0 : (slots[(a << 2) & (slots.length - 1)] as number)
  }

  has(id: IdHash): boolean {
    const slots = this.#parts[partOf(id.b)]?.slots
    if (!slots) return false
    const { a, b, c, d } = id
    const mask = slots.length - 1
    for (let at = (a << 2) & mask; ; at = (at + 4) & mask) {
      if (slots[at] === a && slots[at + 1] === b && slots[at + 2] === c && slots[at + 3] === d) {
        return !isFree(slots, at)
      }
      if (isFree(slots, at)) return false
    }
  }

  /** @returns whether it was not there yet */
  add(id: IdHash): boolean {
    // The one hash that a free slot has; a real id has it once in 10^38.
    if ((id.a | id.b | id.c | id.d) === 0) return false
    const index = partOf(id.b)
    let part = this.#parts[index]
    if (!part) {
      part = { slots: new Int32Array(FIRST_SLOTS * 4), size: 0 }
      this.#parts[index] = part
    }
    if (!put(part.slots, id)) return false
    part.size++
    this.#size++
    if (part.size * 4 > part.slots.length * MAX_LOAD) grow(part)
    return true
  }
}

/** By other bits than those that choose the slot. */
const partOf = (b: number) => b & (PARTS - 1)

function isFree(slots: Int32Array, at: number): boolean {
  return slots[at] === 0 && slots[at + 1] === 0 && slots[at + 2] === 0 && slots[at + 3] === 0
}

function put(slots: Int32Array, { a, b, c, d }: IdHash): boolean {
  const mask = slots.length - 1
  let at = (a << 2) & mask
  while (!isFree(slots, at)) {
    if (slots[at] === a && slots[at + 1] === b && slots[at + 2] === c && slots[at + 3] === d) {
      return false
    }
    at = (at + 4) & mask
  }
  slots[at] = a
  slots[at + 1] = b
  slots[at + 2] = c
  slots[at + 3] = d
  return true
}

function grow(part: Part): void {
  const { slots } = part
  part.slots = new Int32Array(slots.length * 2)
  const id = { a: 0, b: 0, c: 0, d: 0 }
  for (let at = 0; at < slots.length; at += 4) {
    if (isFree(slots, at)) continue
    id.a = slots[at] as number
    id.b = slots[at + 1] as number
    id.c = slots[at + 2] as number
    id.d = slots[at + 3] as number
    put(part.slots, id)
  }
}
