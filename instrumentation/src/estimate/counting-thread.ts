import type { Worker } from 'node:worker_threads'
import { ENV_DISABLED } from '@tokenfuse/protocol/names'
import { quietly } from '../transport/quietly.ts'
import type { CountAnswer, CountRequest } from './messages.ts'

/** After this long without work the thread ends and gives its memory back. */
const IDLE_MS = 60_000
/** A runaway of the tokenizer must not take the app's memory with it. */
const HEAP_MB_MAX = 512

export type ThreadEvents = {
  answered(answer: CountAnswer): void
  /** It ended or could not be started; what it was asked stays without an answer. */
  died(): void
}

/**
 * The thread that counts tokens, started when it is first asked. It never keeps the process alive, and an end of it
 * never reaches the app.
 */
export class CountingThread {
  readonly #events: ThreadEvents
  readonly #source: URL
  #worker: Worker | null = null
  #idle: NodeJS.Timeout | null = null

  constructor(events: ThreadEvents, source: URL = workerSource()) {
    this.#events = events
    this.#source = source
  }

  ask(request: CountRequest): void {
    if (this.#idle) clearTimeout(this.#idle)
    this.#idle = null
    try {
      this.#worker ??= quietly(() => this.#start())
      this.#worker.postMessage(request)
    } catch {
      // Threads may be forbidden (--permission), or the machine may have none left.
      this.stop()
      this.#events.died()
    }
  }

  /** There is nothing to do for now. */
  rest(): void {
    if (this.#worker === null) return
    this.#idle = quietly(() => setTimeout(() => this.stop(), IDLE_MS).unref())
  }

  stop(): void {
    const worker = this.#worker
    this.#worker = null
    if (this.#idle) clearTimeout(this.#idle)
    this.#idle = null
    void worker?.terminate().catch(() => {})
  }

  #start(): Worker {
    const { Worker: Thread } = process.getBuiltinModule('node:worker_threads')
    const worker = new Thread(this.#source, {
      name: 'tokenfuse-estimate',
      // Neither the app's preloads nor this one have any business there.
      execArgv: [],
      env: { [ENV_DISABLED]: '1' },
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX },
      stdin: false,
    })
    const ended = () => {
      if (this.#worker !== worker) return
      this.#worker = null
      this.#events.died()
    }
    worker.on('message', (answer: CountAnswer) => {
      if (this.#worker === worker) this.#events.answered(answer)
    })
    worker.on('error', ended)
    worker.on('exit', ended)
    worker.unref()
    return worker
  }
}

/** The published preload is one file with the worker's beside it; in the sources they are modules of one folder. */
function workerSource(): URL {
  // A CommonJS bundle knows its place by __filename only, an ES module by import.meta only.
  const self =
    typeof __filename === 'string'
      ? process.getBuiltinModule('node:url').pathToFileURL(__filename).href
      : import.meta.url
  return new URL(self.endsWith('.ts') ? './worker.ts' : './estimate-worker.js', self)
}
