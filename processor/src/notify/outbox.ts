import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { Notification } from '@tokenfuse/protocol'

const MAX_WAITING = 1000
const MAX_SENT = 2000

export type Waiting = {
  readonly notification: Notification
  /** Wall clock, ms since 1970. */
  readonly sinceMs: number
  attempts: number
}

/**
 * Notifications that wait to be sent, and the ids of those that were, in a file: what is in it outlives the process,
 * and is not sent twice but where a process ends between sending and writing.
 */
export class Outbox {
  readonly #path: string
  readonly #waiting: Waiting[] = []
  readonly #known = new Set<string>()

  constructor(path: string) {
    this.#path = path
    const kept = read(path)
    for (const id of kept.sent) this.#known.add(id)
    for (const each of kept.waiting) this.#put(each)
  }

  get size(): number {
    return this.#waiting.length
  }

  first(): Waiting | null {
    return this.#waiting[0] ?? null
  }

  /** @returns how many had to go to make room, or `null` where it was known */
  add(notification: Notification, nowMs: number): number | null {
    if (this.#known.has(notification.id)) return null
    this.#put({ notification, sinceMs: nowMs, attempts: 0 })
    const dropped = this.#waiting.splice(0, this.#waiting.length - MAX_WAITING).length
    this.#write()
    return dropped
  }

  /** The first is done with: sent or given up. */
  shift(): void {
    this.#waiting.shift()
    this.#write()
  }

  #put(waiting: Waiting): void {
    this.#waiting.push(waiting)
    this.#known.add(waiting.notification.id)
    for (const id of this.#known) {
      if (this.#known.size <= MAX_SENT) break
      this.#known.delete(id)
    }
  }

  #write(): void {
    const draft = `${this.#path}.new`
    const kept: Kept = { waiting: this.#waiting, sent: [...this.#known] }
    writeFileSync(draft, JSON.stringify(kept), { mode: 0o600 })
    renameSync(draft, this.#path)
  }
}

type Kept = { readonly waiting: readonly Waiting[]; readonly sent: readonly string[] }

/** A file that cannot be read is as good as none: the worst is that something is told again. */
function read(path: string): Kept {
  try {
    const { waiting, sent } = JSON.parse(readFileSync(path, 'utf8')) as Partial<Kept>
    return { waiting: waiting ?? [], sent: sent ?? [] }
  } catch {
    return { waiting: [], sent: [] }
  }
}
