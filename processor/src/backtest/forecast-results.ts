import type { BudgetForecast } from '@tokenfuse/protocol'
import type { ForecastResult } from './result.ts'

/** How the forecasts of each budget did so far, over all its scopes whose history sufficed. */
export function forecastResults(forecasts: readonly BudgetForecast[]): ForecastResult[] {
  const byBudget = new Map<string, BudgetForecast[]>()
  for (const forecast of forecasts) {
    const list = byBudget.get(forecast.budget)
    if (list) list.push(forecast)
    else byBudget.set(forecast.budget, [forecast])
  }
  return [...byBudget].flatMap(([budget, list]) => {
    let scopes = 0
    let windows = 0
    let error = 0
    let covering = 0
    let covered = 0
    for (const { forecast } of list) {
      const past = forecast?.pastError
      if (!past || past.meanError === null) continue
      scopes++
      windows += past.windows
      error += past.meanError * past.windows
      if (past.coverage === null) continue
      covering += past.windows
      covered += past.coverage * past.windows
    }
    const [first] = list
    if (windows === 0 || !first) return []
    const coverage = covering > 0 ? covered / covering : null
    return [{ budget, unit: first.unit, scopes, windows, meanError: error / windows, coverage }]
  })
}
