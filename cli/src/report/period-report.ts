import type {
  BudgetForecast,
  BudgetStatus,
  Decision,
  DetectionStatus,
  RuleStatus,
  UsageRow,
  UsageTotals,
} from '@tokenfuse/protocol'
import type { ProcessorClient } from '../processor/client.ts'

export const REPORT_PERIODS = { day: 1, week: 7, month: 30 } as const
export type ReportPeriod = keyof typeof REPORT_PERIODS

const TOP = 10
const MAX_FORECASTS = 50
const DAY_MS = 86_400_000

/** What was used over some days, and how budgets, rules and detectors stand. */
export type PeriodReport = {
  readonly period: ReportPeriod
  /** Both days belong to it, in the policy's time zone; the last is today. */
  readonly from: string
  readonly until: string
  readonly total: UsageTotals
  /** Of as many days before. */
  readonly before: UsageTotals
  readonly agents: readonly UsageRow[]
  readonly models: readonly UsageRow[]
  readonly tasks: readonly UsageRow[]
  readonly users: readonly UsageRow[]
  /** As they stand now, the fullest first. */
  readonly budgets: readonly BudgetStatus[]
  readonly forecasts: readonly BudgetForecast[]
  /** Those that began in these days. */
  readonly detections: readonly DetectionStatus[]
  /** Those in force now. */
  readonly decisions: readonly Decision[]
  readonly rules: readonly RuleStatus[]
}

export async function periodReport(
  client: ProcessorClient,
  period: ReportPeriod,
): Promise<PeriodReport> {
  const status = await client.status()
  const days = REPORT_PERIODS[period]
  const until = status.today.day
  const from = daysBefore(until, days - 1)
  const range = `${from}..${until}`
  const rows = async (by: 'agent' | 'model' | 'task' | 'user') =>
    client.usage({ by: by === 'task' ? ['agent', 'task'] : [by], period: range, top: TOP })
  const past = `${daysBefore(from, days)}..${daysBefore(from, 1)}`
  const [agents, models, tasks, users, before, forecasts, detections] = await Promise.all([
    rows('agent'),
    rows('model'),
    rows('task'),
    rows('user'),
    client.usage({ by: ['tenant'], period: past, top: 1 }),
    client.forecasts({ top: MAX_FORECASTS }),
    client.detections(),
  ])
  return {
    period,
    from,
    until,
    total: agents.total,
    before: before.total,
    agents: agents.rows,
    models: models.rows,
    tasks: tasks.rows,
    users: users.rows,
    budgets: status.budgets.slice(0, TOP * 2),
    forecasts: forecasts.forecasts.filter(({ forecast }) => forecast !== null),
    detections: detections.detections.filter((detection) => detection.from.slice(0, 10) >= from),
    decisions: status.decisions,
    rules: status.rules,
  }
}

/** The day so many days before a day. */
function daysBefore(day: string, days: number): string {
  return new Date(Date.parse(day) - days * DAY_MS).toISOString().slice(0, 10)
}
