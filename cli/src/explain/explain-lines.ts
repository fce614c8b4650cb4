import type {
  BudgetStatus,
  Decision,
  ExplainAnswer,
  ExplainedDecision,
  ExplainedRefusal,
  LogEntry,
  UsageEvent,
} from '@tokenfuse/protocol'
import { formatUsd } from '@tokenfuse/protocol/names'
import { formatAmount, formatAmountUnit } from '../output/amount.ts'
import type { Style } from '../output/style.ts'
import { formatCount, showName, wrapped } from '../output/text.ts'

const LABEL_WIDTH = 9
const VALUE_WIDTH = 68

/** A decision or a refusal for people: what was decided, from what, and where that stands. */
export function explainLines(answer: ExplainAnswer, style: Style): string[] {
  return answer.kind === 'decision' ? decisionLines(answer, style) : refusalLines(answer, style)
}

function decisionLines(answer: ExplainedDecision, style: Style): string[] {
  const { decision, inForce, cause, logReachesBackTo } = answer
  const { inputs, from, until, mode } = decision
  const row = rowWith(style)
  const end = until === null ? '' : `, until ${until} at most`
  return [
    `${style('bold', showName(decision.id))}  ${decision.action}${mode === 'shadow' ? ' (shadow: nothing is stopped)' : ''}`,
    ...row('why', decision.reason),
    ...ruleRows(decision, row),
    ...row('for', scopeText(decision.budget, decision.scope)),
    ...amountRows(inputs, row),
    ...row('since', `${from}${end}`),
    ...row('holds', inForce ? `yes${wayOut(decision)}` : 'no longer'),
    ...row('policy', `version ${inputs.policyVersion}`),
    ...row('event', causeText(cause, decision.version, logReachesBackTo)),
  ]
}

function refusalLines(answer: ExplainedRefusal, style: Style): string[] {
  const { id, call, budget, logReachesBackTo } = answer
  const refusal = call.event.verdict?.refusal
  const row = rowWith(style)
  return [
    `${style('bold', showName(id, 64))}  refused by the guard of its process`,
    ...row('why', refusal?.reason ?? ''),
    ...row('call', callText(call.event)),
    ...row('for', scopeText(refusal?.budget ?? null, refusal?.scope ?? '*')),
    ...(budget ? row('now', budgetText(budget)) : []),
    ...row('event', `entry ${call.offset} of the log, which reaches back to ${logReachesBackTo}`),
  ]
}

/** Budgets are lifted by a higher limit, which is another thing to decide. */
function wayOut({ id, budget, action }: Decision): string {
  return budget === null && action !== 'warn' ? `; "tokenfuse lift ${id}" lets it go` : ''
}

type Row = (label: string, value: string) => string[]

/** A label and its value, which goes on below itself where it is long. */
function rowWith(style: Style): Row {
  return (label, value) =>
    wrapped(showName(value, 1000), VALUE_WIDTH).map(
      (line, index) => `  ${style('dim', (index === 0 ? label : '').padEnd(LABEL_WIDTH))}${line}`,
    )
}

/** The rule that made it, with its condition, what that saw, and what is done about it. */
function ruleRows({ rule, parameters }: Decision, row: Row): string[] {
  const { severity, condition, ruleAction, exceptCriticality: _, ...figures } = parameters
  if (rule === null || condition === undefined) return []
  const seen = Object.entries(figures).map(([name, value]) => `${name} = ${value}`)
  return [
    ...row('rule', `${rule}, ${severity}, ${ruleAction}`),
    ...row('when', String(condition)),
    ...row('saw', seen.join(', ')),
  ]
}

function amountRows({ unit, spent, limit, outstanding }: Decision['inputs'], row: Row): string[] {
  if (unit === null || spent === null || limit === null) return []
  const lent = outstanding === null ? '' : `, ${formatAmount(outstanding, unit)} lent out`
  return row('spent', `${formatAmount(spent, unit)} of ${formatAmountUnit(limit, unit)}${lent}`)
}

function budgetText({ unit, spent, limit, outstanding, held }: BudgetStatus): string {
  const of = `${formatAmount(spent, unit)} of ${formatAmountUnit(limit, unit)} spent`
  return `${of}, ${formatAmount(outstanding, unit)} lent, ${formatAmount(held, unit)} held`
}

function scopeText(budget: string | null, scope: string): string {
  const where = scope === '*' ? 'everything it counts' : scope
  return budget === null ? where : `budget ${budget}, ${where}`
}

function causeText(cause: LogEntry | null, offset: number, logReachesBackTo: number): string {
  if (cause === null) {
    return `entry ${offset}, which the log no longer has: it reaches back to ${logReachesBackTo}`
  }
  const { event } = cause
  if (event.type !== 'usage') return `entry ${offset} of the log: ${event.type}`
  const tokens = (event.tokens.input ?? 0) + (event.tokens.output ?? 0)
  const cost = formatUsd(BigInt(event.costPicoUsd))
  return `entry ${offset} of the log: ${callText(event)}, ${formatCount(tokens)} tokens, ${cost}`
}

function callText({ agent, task, requestModel, time }: UsageEvent): string {
  return `${agent} (task ${task}) to ${requestModel} at ${time}`
}
