import { quietly } from '../transport/quietly.ts'

/** How long a body may take before it is watched for being forgotten. */
const YOUNG_MS = 1_000

/** The network's side of a body, and who is to be told that it is over. */
export interface WatchedBody {
  /** From now on nothing of the app's side may be held. */
  letGo(): void
  /** The app's side is gone: nobody will ever read on. */
  abandon(): void
}

/**
 * Finds bodies that nobody will ever read. Watching costs more than all the rest of a call, so it begins only with
 * bodies that are not over after a second; until then they are simply held.
 */
export class UnreadBodies {
  readonly #young = new Map<WatchedBody, WeakKey>()
  readonly #old = new FinalizationRegistry<WatchedBody>((body) => body.abandon())
  #isTimed = false

  /** `app` is what the app holds as long as it may read on. */
  add(body: WatchedBody, app: WeakKey): void {
    this.#young.set(body, app)
    if (this.#isTimed) return
    this.#isTimed = true
    quietly(() => setTimeout(() => this.#grow(), YOUNG_MS).unref())
  }

  delete(body: WatchedBody): void {
    if (!this.#young.delete(body)) this.#old.unregister(body)
  }

  #grow(): void {
    this.#isTimed = false
    for (const [body, app] of this.#young) {
      body.letGo()
      this.#old.register(app, body, body)
    }
    this.#young.clear()
  }
}
