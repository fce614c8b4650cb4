import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { addAlerts } from './commands/alerts.ts'
import { addBacktest } from './commands/backtest.ts'
import { addBudget } from './commands/budget.ts'
import { addExplain } from './commands/explain.ts'
import { addExport } from './commands/export.ts'
import { addForecast } from './commands/forecast.ts'
import { addInspect } from './commands/inspect.ts'
import { addKafka } from './commands/kafka.ts'
import { addLift } from './commands/lift.ts'
import { addOverride } from './commands/override.ts'
import { addPolicy } from './commands/policy.ts'
import { addReport } from './commands/report.ts'
import { addRunHost } from './commands/run-host.ts'
import { addRun } from './commands/run.ts'
import { addStatus } from './commands/status.ts'
import { addTop } from './commands/top.ts'
import { addUp } from './commands/up.ts'
import { addUsage } from './commands/usage.ts'

/** The command tree. Parsing throws instead of ending the process. */
export function createProgram(): Command {
  const program = new Command('tokenfuse')
    .description('A circuit breaker for LLM spend.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    // What comes after the command of `run` belongs to that command.
    .enablePositionalOptions()
    .exitOverride()
    // Errors are told in one place and one form, by report-error.ts.
    .configureOutput({ outputError: () => {} })
    .showSuggestionAfterError()
  addUp(program)
  addRun(program)
  addRunHost(program)
  addUsage(program)
  addTop(program)
  addStatus(program)
  addForecast(program)
  addAlerts(program)
  addBudget(program)
  addOverride(program)
  addLift(program)
  addExplain(program)
  addPolicy(program)
  addReport(program)
  addExport(program)
  addBacktest(program)
  addKafka(program)
  addInspect(program)
  return program.addHelpText(
    'after',
    `
Examples:
  $ tokenfuse run -- node agent.js      meter one run of an agent
  $ tokenfuse up                        keep a processor running in this folder
  $ tokenfuse usage                     what was used, by agent and task
  $ tokenfuse budget set all 5usd/day   stop everything at 5 USD a day
  $ tokenfuse status                    how full each budget is`,
  )
}

function version(): string {
  const manifest: unknown = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  )
  return String(Reflect.get(Object(manifest), 'version'))
}
