import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { readyLine, stopChild } from '../../support/child.ts'
import { until } from './until.ts'

const MAIN = join(import.meta.dirname, '../../../processor/src/main.ts')

/** A meter as a process of its own, and what it says to people. */
export class MeterProcess {
  readonly #child: ChildProcess
  readonly #ready: Promise<unknown>
  #said = ''

  constructor(kafka: string) {
    const args = ['-C', 'tokenfuse-source', MAIN, '--roles', 'meter', '--port', '0']
    this.#child = spawn(process.execPath, [...args, '--kafka', kafka], {
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#said += text))
    this.#ready = readyLine(this.#child)
    // Whether somebody waits for it or not.
    this.#ready.catch(() => {})
  }

  async ready(): Promise<void> {
    await this.#ready
  }

  async says(what: RegExp): Promise<void> {
    await until(async () => what.test(this.#said), `the meter says ${what.source}`)
  }

  /** Asks it to end and gives its exit code. */
  async end(): Promise<number | null> {
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    const [code] = (await ended) as [number | null]
    return code
  }

  kill(): Promise<void> {
    return stopChild(this.#child, 'SIGKILL')
  }
}
