import { type Command, Option } from 'commander'
import { printJson, printLines } from '../output/print.ts'
import { connect } from '../processor/client.ts'
import type { ProcessorOptions } from '../processor/find.ts'
import { agentMarkdown } from '../report/agent-markdown.ts'
import { periodMarkdown } from '../report/period-markdown.ts'
import { periodReport, REPORT_PERIODS, type ReportPeriod } from '../report/period-report.ts'
import { withJsonOption, withProcessorOptions } from './options.ts'

type ReportOptions = ProcessorOptions & {
  readonly period: ReportPeriod
  readonly agent?: string
  readonly json?: boolean
}

export function addReport(program: Command): void {
  const command = program
    .command('report')
    .description('write a report of some days, or on one agent, in Markdown')
    .addOption(
      new Option('--period <days>', 'today, or the last 7 or 30 days with today')
        .choices(Object.keys(REPORT_PERIODS))
        .default('day'),
    )
    .option('--agent <name>', 'what this agent does now, against what it did before')
  withJsonOption(withProcessorOptions(command))
    .addHelpText(
      'after',
      `
Examples:
  $ tokenfuse report --period week > report.md
  $ tokenfuse report --agent support
  $ tokenfuse report --period month --json | jq '.agents[0]'`,
    )
    .action(showReport)
}

async function showReport({ period, agent, json, ...where }: ReportOptions): Promise<void> {
  const client = connect(where)
  if (agent !== undefined) {
    const report = await client.agentReport(agent)
    if (json) printJson(report)
    else printLines(agentMarkdown(report))
    return
  }
  const report = await periodReport(client, period)
  if (json) printJson(report)
  else printLines(periodMarkdown(report))
}
