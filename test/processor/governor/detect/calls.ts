import type { UsageEvent } from '@tokenfuse/protocol'
import type { Detection, Ending } from '../../../../processor/src/governor/detect/detection.ts'
import { RunawayDetector } from '../../../../processor/src/governor/detect/runaway-detector.ts'
import type { StateChange } from '../../../../processor/src/governor/table.ts'
import { usageEvent } from '../../../support/usage-event.ts'

export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS

/** A call of a task of agent `coder`, with one tool call and its result where given. */
export function call(
  task: string,
  input: number,
  tool: readonly [call: string, result: string] | null = null,
  overrides: Partial<UsageEvent> = {},
): UsageEvent {
  const tokens = usageEvent().tokens
  return usageEvent({
    agent: 'coder',
    task,
    traceId: traceOf(task),
    tokens: { ...tokens, input, output: 0 },
    toolCallKeys: tool ? [tool[0]] : [],
    toolResultKeys: tool ? [tool[1]] : [],
    ...overrides,
  })
}

export const traceOf = (task: string): string =>
  Buffer.from(task).toString('hex').padStart(32, '0').slice(-32)

/** A detector with a clock that moves a second with every call. */
export class Watch {
  detector = new RunawayDetector()
  nowMs = 0
  readonly found: Detection[] = []
  readonly #records = new Map<string, string>()

  observe(event: UsageEvent): Detection[] {
    this.nowMs += 1000
    const found = this.detector.observe(event, this.nowMs)
    this.found.push(...found)
    return found
  }

  /** Ends a task as the app would, and waits until it is learned from. */
  end(task: string, ending: Ending = 'completed'): void {
    this.detector.endTask('default', 'coder', task, ending, this.nowMs)
    this.pass(5 * MINUTE_MS)
  }

  pass(ms: number): ReturnType<RunawayDetector['advance']> {
    this.nowMs += ms
    return this.detector.advance(this.nowMs)
  }

  /** A whole task of equal calls. */
  finish(task: string, inputs: readonly number[]): void {
    for (const input of inputs) this.observe(call(task, input))
    this.end(task)
  }

  /** Goes on with a copy made from a snapshot. */
  restart(): void {
    keep(this.#records, this.detector.takeChanges())
    this.detector = new RunawayDetector()
    this.detector.restore((prefix) => withPrefix(this.#records, prefix))
  }
}

export function keep(records: Map<string, string>, changes: readonly StateChange[]): void {
  for (const { key, value } of changes) {
    if (value === null) records.delete(key)
    else records.set(key, value)
  }
}

export const withPrefix = (records: ReadonlyMap<string, string>, prefix: string) =>
  [...records].filter(([key]) => key.startsWith(prefix))
