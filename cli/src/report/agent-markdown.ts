import type { AgentReport, AgentRun, UsageRow } from '@tokenfuse/protocol'
import { type Dimension, formatUsd } from '@tokenfuse/protocol/names'
import { decisionHead } from '../output/decision-head.ts'
import { formatCount } from '../output/text.ts'
import { markdownTable, markdownText, section } from './markdown.ts'

/** What is known of an agent, in Markdown. */
export function agentMarkdown(report: AgentReport): string[] {
  const { agent, logTime, period, baseline, tasks, steps, models, runs } = report
  const when = period === 'all' ? 'in all' : `on ${period}`
  return [
    `# Agent ${markdownText(agent)}`,
    '',
    `As of ${logTime}. ${baselineText(baseline)}`,
    ...section(`Dearest tasks ${when}`, usageTable('task', tasks)),
    ...section(`Dearest steps ${when}`, usageTable('step', steps)),
    ...section(`Models ${when}`, usageTable('model', models)),
    ...section('Under way', runTable(runs)),
    ...section('Context', contextLines(report)),
    ...section(
      'Detected',
      report.detections.map(
        ({ kind, level, from, until, reason }) =>
          `- ${kind}, ${level}, ${from}${until === null ? '' : ` to ${until}`}: ${markdownText(reason, 500)}`,
      ),
    ),
    ...section(
      'In force',
      report.decisions.map(
        (decision) =>
          `- ${markdownText(decisionHead(decision), 100)}: ${markdownText(decision.reason, 300)} (${decision.id})`,
      ),
    ),
    ...section('Traces', traceLines(runs)),
  ]
}

function baselineText({ days, medianTokens, todayTokens, ratio }: AgentReport['baseline']): string {
  const today = `${formatCount(todayTokens)} tokens today so far`
  if (medianTokens === null) return `${today}; there is no earlier day to hold that against.`
  const usual = `the median of ${formatCount(days)} earlier days is ${formatCount(medianTokens)}`
  return `${today}; ${usual}${ratio === null ? '' : ` (${ratio} times that)`}.`
}

function usageTable(dimension: Dimension, rows: readonly UsageRow[]): string[] {
  return markdownTable(
    [dimension, 'calls', 'prompt', 'completion', 'cost'],
    rows.map((row) => [
      markdownText(row.values[dimension] ?? ''),
      formatCount(row.calls),
      formatCount(row.inputTokens),
      formatCount(row.outputTokens),
      formatUsd(BigInt(row.costPicoUsd)),
    ]),
  )
}

function runTable(runs: readonly AgentRun[]): string[] {
  return markdownTable(
    ['task', 'calls', 'tokens', 'context now', 'growth a call', 'next five calls', 'repeated'],
    runs.map((run) => [
      run.task === null ? '(unknown)' : markdownText(run.task),
      formatCount(run.calls),
      formatCount(run.tokens),
      formatCount(run.lastContextTokens),
      formatCount(run.contextTokensPerCall),
      formatCount(run.nextCallsTokens),
      formatCount(run.repeatedTokens),
    ]),
  )
}

function contextLines({ systemPromptShare }: AgentReport): string[] {
  const share =
    systemPromptShare === null
      ? 'unknown, since nothing of late was told by the preload'
      : `about ${Math.round(systemPromptShare * 100)}% of what the newest calls read`
  return [
    `Share of the system prompt: ${share}. "Repeated" are tokens of turns whose tool calls and results repeated earlier ones.`,
  ]
}

function traceLines(runs: readonly AgentRun[]): string[] {
  return runs.map(({ task, trace, lastAt }) => {
    const of = task === null ? '' : ` (${markdownText(task)})`
    return `- \`${trace}\`${of}, last call ${lastAt}`
  })
}
