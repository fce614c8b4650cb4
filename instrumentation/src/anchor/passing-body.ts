import { reportFault } from '../log.ts'
import type { ByteFilter, EndReason } from '../providers/index.ts'
import { isAbort } from './ending.ts'
import { UnreadBodies } from './unread-bodies.ts'
import type { WatchedBody } from './unread-bodies.ts'

/** Sees what the app reads of a response, when it reads it. */
export type BodyObserver = {
  /** Every chunk, before the app has it. The bytes are only lent. */
  readonly push: (bytes: Uint8Array) => void
  /** Exactly once. Never throws. */
  readonly end: (reason: EndReason) => void
  /** Takes out of the body what the app did not ask for. */
  readonly filter: ByteFilter | null
}

/** A body with its reader, of which something may have been read already that the app has not seen. */
export type StartedBody = {
  readonly isByteStream: boolean
  readonly reader: ReadableStreamDefaultReader<Uint8Array>
  readonly chunks: Uint8Array[]
}

type Controller = ReadableByteStreamController | ReadableStreamDefaultController<Uint8Array>

/** The app's side; the controller is held weakly once it may be forgotten. */
type AppSide = { deref(): Controller | undefined }

/**
 * A body that nobody will ever read ends like one that was cancelled. The fetch of Node does the same for its own
 * bodies, but cannot for those that have a reader.
 */
const unread = new UnreadBodies()

/** Hands a body on chunk by chunk. */
export class PassingBody implements WatchedBody {
  readonly #body: StartedBody
  readonly #observer: BodyObserver
  #filter: ByteFilter | null
  #app: AppSide | null = null
  #isPulling = false
  /** The network's side has nothing more to give. */
  #isDrained = false
  #isEnded = false

  constructor(body: StartedBody, observer: BodyObserver) {
    this.#body = body
    this.#observer = observer
    this.#filter = observer.filter
  }

  /** The app's side. */
  toStream(): ReadableStream<Uint8Array> {
    const source = {
      start: (controller: Controller) => {
        this.#app = heldStrongly(controller)
      },
      pull: (controller: Controller) => this.#pull(controller),
      cancel: (reason: unknown) => this.#cancel(reason),
    }
    const readAheadOfNothing = { highWaterMark: 0 }
    const stream = this.#body.isByteStream
      ? new ReadableStream({ type: 'bytes', ...source }, readAheadOfNothing)
      : new ReadableStream<Uint8Array>(source, readAheadOfNothing)
    this.#followEnd()
    unread.add(this, stream)
    return stream
  }

  letGo(): void {
    const controller = this.#app?.deref()
    if (controller !== undefined) this.#app = new WeakRef(controller)
  }

  abandon(): void {
    this.#end('aborted')
    this.#body.reader.cancel().catch(() => {})
  }

  /** The end, good or bad, is passed on when it comes, also while the app is not reading. */
  #followEnd(): void {
    this.#body.reader.closed.then(
      () => {
        this.#isDrained = true
        const app = this.#app?.deref()
        if (app !== undefined) this.#closeIfDone(app)
      },
      (error: unknown) => {
        this.#end(isAbort(error) ? 'aborted' : 'failed')
        this.#app?.deref()?.error(error)
      },
    )
  }

  async #pull(controller: Controller): Promise<void> {
    this.#isPulling = true
    try {
      await this.#pass(controller)
    } finally {
      this.#isPulling = false
    }
    this.#closeIfDone(controller)
  }

  async #cancel(reason: unknown): Promise<void> {
    this.#end('aborted')
    await this.#body.reader.cancel(reason)
  }

  /** One chunk that the app can see, however many it takes. */
  async #pass(controller: Controller): Promise<void> {
    const { chunks, reader } = this.#body
    while (!this.#isEnded) {
      const early = chunks.shift()
      const { done, value } = early ? { done: false, value: early } : await reader.read()
      if (done || value === undefined) {
        this.#isDrained = true
        return
      }
      const shown = this.#observe(value)
      if (shown.length === 0 || this.#isEnded) continue
      // A byte stream takes the memory behind a chunk away with it, and the filter's is not its own.
      controller.enqueue(shown === value ? value : new Uint8Array(shown))
      return
    }
  }

  #observe(bytes: Uint8Array): Uint8Array {
    try {
      this.#observer.push(bytes)
      return this.#filter?.push(bytes) ?? bytes
    } catch (error) {
      reportFault('the response reader', error)
      this.#filter = null
      return bytes
    }
  }

  #closeIfDone(controller: Controller): void {
    if (!this.#isDrained || this.#isPulling || this.#isEnded) return
    if (this.#body.chunks.length > 0) return
    const rest = this.#filter?.end()
    this.#end('complete')
    if (rest !== undefined && rest.length > 0) controller.enqueue(new Uint8Array(rest))
    controller.close()
    if ('byobRequest' in controller) controller.byobRequest?.respond(0)
  }

  #end(reason: EndReason): void {
    if (this.#isEnded) return
    this.#isEnded = true
    unread.delete(this)
    this.#observer.end(reason)
  }
}

/** Apart from all other functions: those made beside it would hold the controller too. */
function heldStrongly(controller: Controller): AppSide {
  return { deref: () => controller }
}
