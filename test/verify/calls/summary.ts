import type { UsageTotals } from '@tokenfuse/protocol'
import type { Judged, Verdict } from './compare.ts'
import { scenarioOf, SCENARIOS } from './scenarios.ts'

export type ScenarioRow = {
  readonly scenario: string
  readonly calls: number
  readonly requests: number
  readonly verdicts: Readonly<Record<Verdict, number>>
  /** Of the requests without usage: what they were billed and what was estimated, pico-USD. */
  readonly estimated: { readonly billedPicoUsd: string; readonly meteredPicoUsd: string }
}

export type Report = {
  readonly calls: number
  readonly requests: number
  readonly verdicts: Readonly<Record<Verdict, number>>
  readonly billedPicoUsd: string
  readonly meteredPicoUsd: string
  readonly scenarios: readonly ScenarioRow[]
  /** Each with the call's label. */
  readonly mismatches: readonly string[]
  readonly seconds: number
}

/** @param told what is wrong besides single calls: what apps saw, sums that do not hold */
export function summarise(
  judged: readonly Judged[],
  told: readonly string[],
  seconds: number,
): Report {
  const byScenario = Map.groupBy(judged, ({ label }) => scenarioOf(label).name)
  const scenarios = SCENARIOS.flatMap(({ name }) => {
    const of = byScenario.get(name)
    return of ? [scenarioRow(name, of)] : []
  })
  const own = judged.flatMap(({ label, problems }) => problems.map((what) => `${label}: ${what}`))
  return {
    calls: scenarios.reduce((sum, row) => sum + row.calls, 0),
    requests: judged.filter(({ entry }) => entry !== null).length,
    verdicts: countVerdicts(judged),
    billedPicoUsd: total(judged, ({ entry }) => entry?.costPicoUsd),
    meteredPicoUsd: total(judged, ({ event }) => event?.costPicoUsd),
    scenarios,
    mismatches: [...own, ...wrongEndings(judged), ...told],
    seconds,
  }
}

function scenarioRow(scenario: string, judged: readonly Judged[]): ScenarioRow {
  const estimated = judged.filter(({ verdict }) => verdict === 'estimated')
  return {
    scenario,
    calls: new Set(judged.map(({ label }) => label)).size,
    requests: judged.filter(({ entry }) => entry !== null).length,
    verdicts: countVerdicts(judged),
    estimated: {
      billedPicoUsd: total(estimated, ({ entry }) => entry?.costPicoUsd),
      meteredPicoUsd: total(estimated, ({ event }) => event?.costPicoUsd),
    },
  }
}

function countVerdicts(judged: readonly Judged[]): Record<Verdict, number> {
  const counts = { equal: 0, estimated: 0, free: 0, mismatched: 0 }
  for (const { verdict } of judged) counts[verdict]++
  return counts
}

function total(judged: readonly Judged[], cost: (one: Judged) => string | undefined): string {
  return judged.reduce((sum, one) => sum + BigInt(cost(one) ?? '0'), 0n).toString()
}

/** Calls that did not end at the stand-in as their scenario says: then the load was not what it claims. */
function wrongEndings(judged: readonly Judged[]): string[] {
  const byLabel = Map.groupBy(judged, ({ label }) => label)
  return [...byLabel].flatMap(([label, requests]) => {
    const { ending } = scenarioOf(label)
    const last = requests
      .flatMap(({ entry }) => entry ?? [])
      .toSorted((a, b) => a.startedAt - b.startedAt)
      .at(-1)
    if (last?.outcome === ending.outcome && last.usageSent === ending.usageSent) return []
    const found = last ? `${last.outcome}, usage ${last.usageSent ? '' : 'not '}sent` : 'no request'
    const meant = `${ending.outcome}, usage ${ending.usageSent ? '' : 'not '}sent`
    return [`${label}: the stand-in saw ${found}; the scenario is ${meant}`]
  })
}

/** Whether the processor's own sums are those of the metered calls. */
export function wrongTotals(
  judged: readonly Judged[],
  rows: readonly (UsageTotals & { values: { agent?: string } })[],
): string[] {
  const byAgent = Map.groupBy(
    judged.flatMap(({ event }) => event ?? []),
    ({ agent }) => agent,
  )
  const wrong = [...byAgent].flatMap(([agent, events]) => {
    const row = rows.find(({ values }) => values.agent === agent)
    const cost = events.reduce((sum, event) => sum + BigInt(event.costPicoUsd), 0n).toString()
    const input = events.reduce((sum, event) => sum + (event.tokens.input ?? 0), 0)
    const output = events.reduce((sum, event) => sum + (event.tokens.output ?? 0), 0)
    const expected = `${input}+${output} tokens, ${cost} pico-USD`
    const found = row
      ? `${row.inputTokens}+${row.outputTokens} tokens, ${row.costPicoUsd} pico-USD`
      : 'nothing'
    return expected === found
      ? []
      : [`agent ${agent}: its calls sum to ${expected}, the counter says ${found}`]
  })
  const strangers = rows.filter(({ values }) => !byAgent.has(values.agent ?? ''))
  return [
    ...wrong,
    ...strangers.map(({ values }) => `agent ${values.agent}: nobody made its calls`),
  ]
}
