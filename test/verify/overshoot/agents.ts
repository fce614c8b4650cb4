import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { MadeCall } from './load.ts'

/** An agent of the load as a running process. */
export class Agent {
  readonly #child: ChildProcess
  readonly made: MadeCall[] = []
  readonly #ready = Promise.withResolvers<void>()
  /** Resolves when the process and all its output are over, to what is wrong about it. */
  readonly ended: Promise<string | null>
  #isKilled = false

  constructor(child: ChildProcess) {
    this.#child = child
    if (!child.stdout) throw new Error('the agent has no standard output to read')
    createInterface({ input: child.stdout }).on('line', (line) => {
      const said = JSON.parse(line) as MadeCall | 'ready'
      if (said === 'ready') this.#ready.resolve()
      else this.made.push(said)
    })
    this.ended = once(child, 'close').then(([code, signal]) => {
      this.#ready.reject(new Error(`an agent ended with ${code ?? signal} before it was ready`))
      if (code === 0 || this.#isKilled) return null
      return `an agent ended with ${code ?? signal}`
    })
    // Whoever waits for it to be ready hears of it; nobody else need.
    this.#ready.promise.catch(() => {})
  }

  get ready(): Promise<void> {
    return this.#ready.promise
  }

  begin(): void {
    this.#child.stdin?.write('begin\n')
  }

  /** @returns whether there was anything left to kill */
  kill(): boolean {
    this.#isKilled = this.#child.kill('SIGKILL')
    return this.#isKilled
  }
}
