import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { MadeCall } from './load.ts'

/** An agent of the load as a running process. */
export class Agent {
  readonly made: MadeCall[] = []
  /** Resolves when the process and all its output are over, to what is wrong about its end. */
  readonly ended: Promise<string | null>
  readonly #child: ChildProcess
  readonly #ready = Promise.withResolvers<void>()

  /**
   * @param end the signal by which it is to end; `null`: by itself
   * @param onMade called after each call that is over
   */
  constructor(child: ChildProcess, end: NodeJS.Signals | null, onMade: () => void) {
    this.#child = child
    if (!child.stdout) throw new Error('the agent has no standard output to read')
    createInterface({ input: child.stdout }).on('line', (line) => {
      const said = JSON.parse(line) as MadeCall | 'ready'
      if (said === 'ready') this.#ready.resolve()
      else {
        this.made.push(said)
        onMade()
      }
    })
    this.ended = once(child, 'close').then(([code, signal]) => {
      const how = `an agent ended with ${code ?? signal}`
      this.#ready.reject(new Error(`${how} before it was ready`))
      return signal === end && (code === 0 || end !== null) ? null : how
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

  stop(): void {
    this.#child.kill('SIGKILL')
  }
}
