import {
  ACTIONS,
  type AgentStatus,
  type Budget,
  type BudgetStatus,
  type Decision,
  matchesGlobs,
  parseScopeKey,
  type StatusAnswer,
  type UsageTotals,
} from '@tokenfuse/protocol'
import type { Governor } from '../governor/governor.ts'
import type { ApiContext } from './context.ts'

/** So many agents, counters and decisions are told at most; the first of each say most. */
const MAX_AGENTS = 50
const MAX_COUNTERS = 1000
const MAX_DECISIONS = 1000
const MAX_FORECASTS = 20

/** @param only counters of these budgets alone are told; of all without */
export function statusAnswer(context: ApiContext, only?: readonly string[]): StatusAnswer {
  const { governor } = context.loop
  const { headOffset, firstOffset, bytes, deadLetters } = context.log.stats()
  const budgets = governor.budgets()
  const asked = only ? budgets.filter(({ budget }) => only.includes(budget)) : budgets
  const inForce = governor.policy()
  const day = governor.dayAt(context.now())
  return {
    version: context.version,
    offset: governor.offset,
    logTime: governor.offset === 0 ? null : new Date(governor.logTimeMs).toISOString(),
    policyVersion: inForce?.version ?? 0,
    policyProblem: context.policyProblem(),
    rules: governor.ruleStatuses(),
    notify: context.notifyStatus(),
    inactiveBudgets: governor.inactiveBudgets(),
    budgets: asked.slice(0, MAX_COUNTERS),
    counters: asked.length,
    agents: agentStatuses(governor, budgets, inForce?.policy.budgets ?? []),
    total: governor.total(),
    today: { day, total: totalOfDay(governor, day) },
    forecasts: (only ?? [undefined])
      .flatMap((budget) => governor.forecasts({ budget, top: MAX_FORECASTS }))
      .slice(0, MAX_FORECASTS),
    detections: governor.detections().filter(({ until }) => until === null),
    decisions: governor.decisions().sort(bySeverity).slice(0, MAX_DECISIONS),
    guards: governor.guardCount(),
    deadLetters,
    droppedSpans: Number(context.metrics.total('agentDroppedSpans')),
    log: { events: headOffset - firstOffset + 1, bytes },
  }
}

function totalOfDay(governor: Governor, period: string): UsageTotals {
  const answer = governor.usage({ by: ['tenant'], scope: '*', period, top: 1 })
  return answer?.total ?? governor.total()
}

/** The agents that cost the most, each with the fullest of the budgets that single it out. */
function agentStatuses(
  governor: Governor,
  statuses: readonly BudgetStatus[],
  budgets: readonly Budget[],
): AgentStatus[] {
  const byId = new Map(budgets.map((budget) => [budget.id, budget]))
  const answer = governor.usage({ by: ['agent'], scope: '*', period: 'all', top: MAX_AGENTS })
  return (answer?.rows ?? []).map(({ values, ...totals }) => {
    const agent = values.agent ?? ''
    // The fullest come first.
    const budget = statuses.find((status) => singlesOut(status, byId.get(status.budget), agent))
    return { agent, ...totals, budget: budget ?? null }
  })
}

function bySeverity(a: Decision, b: Decision): number {
  return ACTIONS.indexOf(b.action) - ACTIONS.indexOf(a.action) || b.version - a.version
}

/** Whether a counter is for an agent by its scope, or its budget by what it matches; one for everybody is neither. */
function singlesOut({ scope }: BudgetStatus, budget: Budget | undefined, agent: string): boolean {
  const counted = parseScopeKey(scope).find(([dimension]) => dimension === 'agent')
  if (counted) return counted[1] === agent
  const wanted = budget?.match.agent
  if (wanted === undefined) return false
  return matchesGlobs(typeof wanted === 'string' ? [wanted] : wanted, agent)
}
