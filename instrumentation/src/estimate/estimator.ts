import { CountingThread } from './counting-thread.ts'
import { encodingFor } from './encoding.ts'
import { heuristicEstimate } from './estimate.ts'
import { segmentBytes } from './segments.ts'
import type { Estimate, EstimateRequest } from './estimate.ts'

/** Waiting requests beyond this are estimated by length at once. */
const QUEUE_MAX = 64
/** A tokenizer does about a megabyte a second; more than this would only run into the time limit. */
const TEXT_BYTES_MAX = 2 * 1024 * 1024
const TIME_MS_MAX = 5_000
/** The tokenizer's tables take half a second to load, and many where others have the machine. */
const LOAD_MS_MAX = 120_000
/** The thread is given up after so many failures: whatever is wrong with it does not pass. */
const FAILURES_MAX = 3

type Waiting = { readonly request: EstimateRequest; readonly done: (estimate: Estimate) => void }

export type EstimatorOptions = {
  /** For the counting alone, however long the tokenizer took to load. */
  readonly timeMsMax?: number
  readonly worker?: URL
}

/**
 * Estimates by tokenizer in a thread of its own, one request after the other, and by length where that would take too
 * long or cannot be done. `done` is called once for each request, unless the process ends before.
 */
export class Estimator {
  readonly #timeMsMax: number
  readonly #thread: CountingThread
  readonly #queue: Waiting[] = []
  #current: Waiting | null = null
  #currentId = 0
  #timer: NodeJS.Timeout | null = null
  #failures = 0

  constructor({ timeMsMax = TIME_MS_MAX, worker }: EstimatorOptions = {}) {
    this.#timeMsMax = timeMsMax
    this.#thread = new CountingThread(
      {
        answered: (answer) => {
          if (answer.id !== this.#currentId) return
          if (answer.type === 'counted') this.#finish(answer)
          else this.#limitTime(this.#timeMsMax)
        },
        died: () => this.#giveUp(),
      },
      worker,
    )
  }

  estimate(request: EstimateRequest, done: (estimate: Estimate) => void): void {
    if (
      this.#failures >= FAILURES_MAX ||
      this.#queue.length >= QUEUE_MAX ||
      textBytes(request) > TEXT_BYTES_MAX
    ) {
      done(heuristicEstimate(request))
      return
    }
    this.#queue.push({ request, done })
    this.#next()
  }

  #next(): void {
    if (this.#current !== null) return
    this.#current = this.#queue.shift() ?? null
    if (this.#current === null) {
      this.#thread.rest()
      return
    }
    const { request } = this.#current
    this.#limitTime(LOAD_MS_MAX)
    this.#thread.ask({
      id: ++this.#currentId,
      encoding: encodingFor(request.model),
      input: request.input?.texts ?? [],
      output: request.output ?? '',
    })
  }

  /** For what the thread does now; what it did before is no matter. */
  #limitTime(timeMs: number): void {
    if (this.#current === null) return
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#thread.stop()
      this.#giveUp()
    }, timeMs).unref()
  }

  #finish(counted: { readonly input: number; readonly output: number }): void {
    const request = this.#current?.request
    if (request === undefined) return
    this.#failures = 0
    this.#deliver({
      input: request.input === null ? null : counted.input + request.input.extraTokens,
      output: request.output === null ? null : counted.output,
      problems: [],
    })
  }

  #giveUp(): void {
    if (this.#current === null) return
    this.#failures++
    const abandoned = this.#failures >= FAILURES_MAX ? this.#queue.splice(0) : []
    this.#deliver(heuristicEstimate(this.#current.request))
    for (const { request, done } of abandoned) done(heuristicEstimate(request))
  }

  #deliver(estimate: Estimate): void {
    const current = this.#current
    this.#current = null
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    current?.done(estimate)
    this.#next()
  }
}

function textBytes({ input, output }: EstimateRequest): number {
  return (input === null ? 0 : segmentBytes(input)) + Buffer.byteLength(output ?? '')
}
