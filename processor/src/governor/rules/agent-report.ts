import {
  type AgentReport,
  type AgentRun,
  type DayUsage,
  type Decision,
  type Dimension,
  parseScopeKey,
  scopeKeyOf,
  type UsageAnswer,
} from '@tokenfuse/protocol'
import type { Run } from '../detect/run.ts'
import { contextSlope, tokensOfNext } from '../detect/run.ts'
import { isoFromMs } from '../iso-time.ts'
import type { GovernorState } from '../state.ts'
import { queryUsage } from '../usage-query.ts'
import { addSums, namedSums, newSums, type SumsPlace, totalsOf } from '../usage-sums.ts'
import { lineNames } from '../usage-table.ts'

const TOP = 10
const BASELINE_DAYS = 28
/** Steps that are looked ahead. */
const NEXT_STEPS = 5

/**
 * What an agent does, for whoever looks into it: from the state alone, so it is there as long as that remembers it.
 * @param decisions those in force
 * @returns null where nothing of this agent was ever counted
 */
export function agentReport(
  state: GovernorState,
  agent: string,
  decisions: readonly Decision[],
): AgentReport | null {
  const today = state.dayAt(state.logTimeMs)
  const days = daysOf(state, agent)
  if (days.length === 0) return null
  const period = days.some(({ day }) => day === today) ? today : 'all'
  const top = (by: Dimension) => usageOf(state, agent, by, period)?.rows ?? []
  const past = days.filter(({ day }) => day < today).slice(-BASELINE_DAYS)
  const median = medianOf(past.map(({ totals }) => totals.totalTokens))
  const now = days.find(({ day }) => day === today)?.totals.totalTokens ?? 0
  const runs = state.detectors.runaways.runsOf(agent, TOP)
  return {
    agent,
    offset: state.offset,
    logTime: isoFromMs(state.logTimeMs),
    period,
    days: days.slice(-BASELINE_DAYS),
    baseline: {
      days: past.length,
      medianTokens: median,
      todayTokens: now,
      ratio: median === null || median === 0 ? null : Math.round((now / median) * 100) / 100,
    },
    tasks: top('task'),
    steps: top('step'),
    models: top('model'),
    runs: runs.map(runOf),
    systemPromptShare: systemPromptShare(runs),
    detections: state.detectors.alerts.statuses().filter(({ scope }) => isOf(scope, agent)),
    decisions: decisions.filter(({ scope }) => isOf(scope, agent)),
  }
}

function usageOf(
  { ledger, offset }: GovernorState,
  agent: string,
  by: Dimension,
  period: string,
): UsageAnswer | null {
  const scope = scopeKeyOf([['agent', agent]])
  return queryUsage(ledger, { by: [by], scope, period, top: TOP }, offset)
}

/** What the agent used on each day, the earliest first. */
function daysOf({ ledger }: GovernorState, agent: string): DayUsage[] {
  const byDay = new Map<string, SumsPlace>()
  for (const line of ledger.table('agentModel').lines()) {
    if (lineNames(line)[0] !== agent) continue
    let sums = byDay.get(line.day)
    if (!sums) byDay.set(line.day, (sums = newSums()))
    addSums(sums, line)
  }
  return [...byDay]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([day, sums]) => ({ day, totals: totalsOf(namedSums(sums)) }))
}

function runOf(run: Run): AgentRun {
  const { isTrace, model, steps, tokens, firstContext, lastContext, repetition, lastMs } = run
  return {
    task: isTrace ? null : run.run,
    trace: run.last.trace,
    model,
    calls: steps,
    tokens,
    firstContextTokens: firstContext,
    lastContextTokens: lastContext,
    contextTokensPerCall: contextSlope(run),
    nextCallsTokens: tokensOfNext(run, NEXT_STEPS),
    repeatedTokens: repetition?.repeatedTokens ?? 0,
    lastAt: isoFromMs(lastMs),
  }
}

/** In the newest calls of the runs under way, to two digits; `null` where nothing is known. */
function systemPromptShare(runs: readonly Run[]): number | null {
  const known = runs.filter(({ last }) => typeof last.system === 'number' && last.context > 0)
  if (known.length === 0) return null
  const system = known.reduce((sum, { last }) => sum + (last.system ?? 0), 0)
  const context = known.reduce((sum, { last }) => sum + last.context, 0)
  return Math.round((100 * Math.min(system, context)) / context) / 100
}

/** The middle one, or the mean of both; `null` for none. */
function medianOf(values: readonly number[]): number | null {
  if (values.length === 0) return null
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : Math.round(((sorted[middle - 1] ?? 0) + upper) / 2)
}

function isOf(scope: string, agent: string): boolean {
  return parseScopeKey(scope).some(([dimension, value]) => dimension === 'agent' && value === agent)
}
