import { UNKNOWN, type UsageAnswer, type UsageEvent } from '@tokenfuse/protocol'
import type { LedgerEntry } from '../support/provider/client.ts'
import { differences } from '../verify/calls/differences.ts'
import { labelOf } from './replay-plan.ts'
import type { RecordedRun } from './recording.ts'

export type Sums = { readonly input: number; readonly output: number; readonly costPicoUsd: string }

/** What the processor says, and how it holds against the file and the stand-in. */
export type Outcome = {
  readonly calls: number
  readonly agents: Readonly<Record<string, Sums>>
  readonly runs: Readonly<Record<string, Sums>>
  readonly mismatches: readonly string[]
  /** Calls that were billed, but whose agents were killed before they had told of them. */
  readonly lost: readonly LedgerEntry[]
}

export type Evidence = {
  readonly recording: readonly RecordedRun[]
  readonly ledger: readonly LedgerEntry[]
  readonly events: readonly UsageEvent[]
  readonly byAgent: UsageAnswer
  readonly byTask: UsageAnswer
  /** How many calls may be lost: those that were under way when agents were killed. */
  readonly lostMax: number
}

export function check(evidence: Evidence): Outcome {
  const { recording, ledger, events, byAgent, byTask, lostMax } = evidence
  const reported = new Set(events.map((event) => event.responseId))
  const missing = ledger.filter((entry) => !reported.has(entry.responseId))
  const lost = missing.length <= lostMax ? missing : []
  const agents = sumsOf(byAgent, 'agent')
  const runs = sumsOf(byTask, 'task')
  const lostLabels = new Set(lost.map(({ label }) => label))
  const expected = expectedSums(recording, ledger, lostLabels)
  return {
    calls: byAgent.total.calls,
    agents,
    runs,
    lost,
    mismatches: [
      ...(lost.length === 0 ? missing.map((entry) => `${entry.label}: billed, not metered`) : []),
      ...wrongCalls(ledger, events),
      ...wrongLedger(recording, ledger, lostLabels),
      ...wrongSums('agent', expected.agents, agents),
      ...wrongSums('run', expected.runs, runs),
      ...wrongCount(expected.calls, byAgent.total.calls),
    ],
  }
}

function sumsOf(answer: UsageAnswer, dimension: 'agent' | 'task'): Record<string, Sums> {
  return Object.fromEntries(
    answer.rows.map(({ values, inputTokens, outputTokens, costPicoUsd }) => [
      values[dimension] ?? UNKNOWN,
      { input: inputTokens, output: outputTokens, costPicoUsd },
    ]),
  )
}

/** Each metered call against its own bill. */
function wrongCalls(ledger: readonly LedgerEntry[], events: readonly UsageEvent[]): string[] {
  const bills = new Map(ledger.map((entry) => [entry.responseId, entry]))
  const seen = new Set<string>()
  return events.flatMap((event) => {
    const entry = event.responseId === null ? undefined : bills.get(event.responseId)
    if (!entry || event.responseId === null) {
      return event.costPicoUsd === '0' ? [] : [`${event.spanId}: metered, never billed`]
    }
    if (seen.has(event.responseId)) return [`${entry.label}: metered twice`]
    seen.add(event.responseId)
    return differences(entry, event).map((what) => `${entry.label}: ${what}`)
  })
}

/** Whether the stand-in has billed what the file says, each call once. */
function wrongLedger(
  recording: readonly RecordedRun[],
  ledger: readonly LedgerEntry[],
  lost: ReadonlySet<string | null>,
): string[] {
  const byLabel = Map.groupBy(ledger, ({ label }) => label)
  return recording.flatMap(({ run, calls }) =>
    calls.flatMap(({ input, output }, index) => {
      const label = labelOf(run, index)
      const billed = byLabel.get(label) ?? []
      // The stream of a killed agent ends where it was killed.
      if (lost.has(label)) return []
      const figures = billed.map(({ tokens }) => `${tokens.input}+${tokens.output}`).join(', ')
      if (figures === `${input}+${output}`) return []
      return [`${label}: recorded ${input}+${output}, billed ${figures || 'nothing'}`]
    }),
  )
}

type Expected = Record<string, { input: number; output: number; cost: bigint }>

/** The sums of the file, priced as the stand-in billed each call, without what was lost. */
function expectedSums(
  recording: readonly RecordedRun[],
  ledger: readonly LedgerEntry[],
  lost: ReadonlySet<string | null>,
): { agents: Expected; runs: Expected; calls: number } {
  const costs = new Map(ledger.map(({ label, costPicoUsd }) => [label, BigInt(costPicoUsd)]))
  const agents: Expected = {}
  const runs: Expected = {}
  let count = 0
  for (const { run, calls } of recording) {
    for (const [index, { agent, input, output }] of calls.entries()) {
      const label = labelOf(run, index)
      if (lost.has(label)) continue
      count++
      for (const [sums, name] of [
        [agents, agent ?? UNKNOWN],
        [runs, run],
      ] as const) {
        const sum = (sums[name] ??= { input: 0, output: 0, cost: 0n })
        sum.input += input
        sum.output += output
        sum.cost += costs.get(label) ?? 0n
      }
    }
  }
  return { agents, runs, calls: count }
}

function wrongSums(what: string, expected: Expected, found: Record<string, Sums>): string[] {
  const names = new Set([...Object.keys(expected), ...Object.keys(found)])
  return [...names].flatMap((name) => {
    const sum = expected[name]
    const meant = sum ? `${sum.input}+${sum.output}, ${sum.cost} pico-USD` : 'nothing'
    const row = found[name]
    const read = row ? `${row.input}+${row.output}, ${row.costPicoUsd} pico-USD` : 'nothing'
    return meant === read ? [] : [`${what} ${name}: file and stand-in say ${meant}, read ${read}`]
  })
}

function wrongCount(expected: number, found: number): string[] {
  return expected === found ? [] : [`${expected} calls were to be counted, ${found} were`]
}
