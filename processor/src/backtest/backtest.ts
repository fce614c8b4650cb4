import type { TaskEnd, UsageEvent } from '@tokenfuse/protocol'
import { msFromIso } from '../governor/iso-time.ts'
import { isRefused } from '../governor/usage-sums.ts'
import { type BacktestPolicy, PolicyRun, type Taken } from './policy-run.ts'
import { recordedFile } from './recorded-file.ts'
import type { RecordedLine } from './recorded-line.ts'
import type { BacktestResult, FileResult } from './result.ts'

const MAX_BAD_SHOWN = 100

export type BacktestProgress = {
  readonly lines: number
  readonly readBytes: number
  readonly totalBytes: number
}

/** Recorded events through one policy after another, each with a governor of its own. */
export class Backtest {
  readonly #policies: readonly BacktestPolicy[]
  #runs: PolicyRun[] = []
  #logTimeMs = 0
  #first: string | null = null
  #last: string | null = null
  readonly #bad: { line: number; reason: string }[] = []
  readonly #counts = { lines: 0, events: 0, taskEnds: 0, otherEvents: 0, badLines: 0 }
  readonly #taken = { duplicates: 0, late: 0, refusedThen: 0 }

  constructor(policies: readonly BacktestPolicy[]) {
    this.#policies = policies
  }

  /** Takes the next line of a file of events; what is no event is told with its number and kept apart. */
  takeLine(line: RecordedLine): void {
    this.#counts.lines++
    if (line.kind === 'bad') this.#keepApart(line.reason)
    if (line.kind === 'other') this.#counts.otherEvents++
    if (line.kind !== 'event') return
    const reason = this.take(line.event)
    if (reason !== null) this.#keepApart(reason)
  }

  /** How many were taken. */
  get lines(): number {
    return this.#counts.lines
  }

  /** @returns why an event could not be taken; `null` where it was */
  take(event: UsageEvent | TaskEnd): string | null {
    const timeMs = msFromIso(event.time)
    if (Number.isNaN(timeMs)) return `the time "${event.time}" is no ISO 8601 time in UTC`
    const endMs = event.type === 'usage' ? timeMs + Math.round(event.durationMs) : timeMs
    // The clock of the log never goes back.
    this.#logTimeMs = Math.max(this.#logTimeMs, endMs)
    if (this.#runs.length === 0) {
      this.#runs = this.#policies.map((policy) => new PolicyRun(policy, timeMs))
    }
    this.#first ??= event.time
    this.#last = event.time
    if (event.type === 'usage') this.#takeUsage(event, timeMs)
    else {
      this.#counts.taskEnds++
      for (const run of this.#runs) run.takeTaskEnd(event, this.#logTimeMs)
    }
    return null
  }

  #takeUsage(event: UsageEvent, timeMs: number): void {
    this.#counts.events++
    if (isRefused(event)) this.#taken.refusedThen++
    for (const [index, run] of this.#runs.entries()) {
      const taken = run.takeUsage(event, timeMs, this.#logTimeMs)
      if (index === 0) this.#note(taken)
    }
  }

  /** What is no news for one policy is none for another. */
  #note(taken: Taken): void {
    if (taken === 'duplicate') this.#taken.duplicates++
    if (taken === 'late') this.#taken.late++
  }

  #keepApart(reason: string): void {
    this.#counts.badLines++
    if (this.#bad.length < MAX_BAD_SHOWN) this.#bad.push({ line: this.#counts.lines, reason })
  }

  result(): BacktestResult {
    const runs =
      this.#runs.length > 0 ? this.#runs : this.#policies.map((each) => new PolicyRun(each, 0))
    const policies = runs.map((run, index) => ({
      name: this.#policies[index]?.name ?? '',
      ...run.result(),
    }))
    const [first] = policies
    const sum = (field: 'calls' | 'tokens') =>
      (first?.spent[field] ?? 0) + (first?.avoided[field] ?? 0)
    const cost = BigInt(first?.spent.costPicoUsd ?? 0) + BigInt(first?.avoided.costPicoUsd ?? 0)
    return {
      file: this.#file(),
      recorded: { calls: sum('calls'), tokens: sum('tokens'), costPicoUsd: String(cost) },
      policies,
    }
  }

  #file(): FileResult {
    const span = { from: this.#first, until: this.#last }
    return { ...this.#counts, ...this.#taken, ...span, bad: this.#bad }
  }
}

/**
 * Runs a file of events (JSON Lines) through policies.
 * @param progress told after every megabyte or so
 * @throws TokenfuseError `file_unreadable`
 */
export async function backtestFile(
  path: string,
  policies: readonly BacktestPolicy[],
  progress: (progress: BacktestProgress) => void = () => {},
): Promise<BacktestResult> {
  const backtest = new Backtest(policies)
  for await (const { lines, readBytes, totalBytes } of recordedFile(path)) {
    for (const line of lines) backtest.takeLine(line)
    progress({ lines: backtest.lines, readBytes, totalBytes })
  }
  return backtest.result()
}
