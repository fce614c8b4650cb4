import type { BudgetForecast, ForecastsAnswer } from '@tokenfuse/protocol'
import type { Command } from 'commander'
import { forecastTable } from '../forecast/forecast-table.ts'
import { printJson, printLines } from '../output/print.ts'
import { type Style, styleFor } from '../output/style.ts'
import { plural } from '../output/text.ts'
import { connect } from '../processor/client.ts'
import type { ProcessorOptions } from '../processor/find.ts'
import { readPositive, withJsonOption, withProcessorOptions } from './options.ts'

type ForecastOptions = ProcessorOptions & {
  readonly budget?: string
  readonly top: number
  readonly json?: boolean
}

export function addForecast(program: Command): void {
  const command = program
    .command('forecast')
    .description('show what each hour, day, week and month of a budget will come to')
    .option('--budget <id>', 'only this budget')
    .option('--top <n>', 'how many, the fullest first; 1000 at most', readPositive, 20)
  withJsonOption(withProcessorOptions(command))
    .addHelpText(
      'after',
      `
Learned from each scope's own past: three earlier hours or days with usage, or a whole week.

Examples:
  $ tokenfuse forecast
  $ tokenfuse forecast --budget daily --json | jq '.forecasts[].forecast.breachProbability'`,
    )
    .action(showForecast)
}

async function showForecast({ budget, top, json, ...where }: ForecastOptions): Promise<void> {
  const answer = await connect(where).forecasts({ budget, top: Math.min(top, 1000) })
  if (json) printJson(answer)
  else printLines(forecastLines(answer, styleFor(process.stdout)))
}

function forecastLines({ forecasts }: ForecastsAnswer, style: Style): string[] {
  if (forecasts.length === 0) {
    return ['No budget with an hour, day, week or month counts anything yet.']
  }
  const lines = forecastTable(forecasts, style)
  const notes = [...pastErrorNotes(forecasts), ...missingNotes(forecasts)]
  return [...lines, ...notes.map((note) => style('dim', note))]
}

/** How earlier forecasts at this point of their windows did, over all that are shown. */
function pastErrorNotes(forecasts: readonly BudgetForecast[]): string[] {
  let windows = 0
  let error = 0
  for (const { forecast } of forecasts) {
    const past = forecast?.pastError
    if (!past || past.meanError === null) continue
    windows += past.windows
    error += past.windows * past.meanError
  }
  if (windows === 0) return []
  const percent = Math.round((100 * error) / windows)
  return [`Earlier forecasts at this point missed by ${percent}% of a mean window on average.`]
}

function missingNotes(forecasts: readonly BudgetForecast[]): string[] {
  return (['insufficient history', 'too many scopes'] as const).flatMap((reason) => {
    const count = forecasts.filter(({ missing }) => missing === reason).length
    return count === 0 ? [] : [`${plural(count, 'counter')} without a forecast: ${reason}`]
  })
}
