import type { BudgetForecast } from '@tokenfuse/protocol'
import { formatAmount } from '../output/amount.ts'
import { scopeText } from '../output/scope.ts'
import type { Style } from '../output/style.ts'
import { type Column, renderTable } from '../output/table.ts'
import { showName } from '../output/text.ts'

const COLUMNS: readonly Column[] = [
  { title: 'budget', align: 'left' },
  { title: 'for', align: 'left', shrinks: true },
  { title: 'spent', align: 'right' },
  { title: 'forecast', align: 'right' },
  { title: '80% between', align: 'right' },
  { title: 'limit', align: 'right' },
  { title: 'breach', align: 'right' },
  { title: 'at', align: 'right' },
]

/** What windows come to; those without a forecast are left out. Times are those of the machine that shows them. */
export function forecastTable(forecasts: readonly BudgetForecast[], style: Style): string[] {
  const rows = forecasts.flatMap((status) => {
    const { budget, scope, unit, spent, limit, window, forecast } = status
    if (forecast === null) return []
    const { endOfWindow, lower, upper, breachProbability, exhaustedAt } = forecast
    return [
      [
        `${showName(budget, 16)} ${window}`,
        scopeText(scope),
        formatAmount(spent, unit),
        formatAmount(endOfWindow, unit),
        `${formatAmount(lower, unit)} - ${formatAmount(upper, unit)}`,
        formatAmount(limit, unit),
        breachShare(breachProbability, style),
        exhaustedAt === null ? '' : momentText(exhaustedAt, window),
      ],
    ]
  })
  return rows.length === 0 ? [] : [renderTable(COLUMNS, rows, style)]
}

function breachShare(probability: number, style: Style): string {
  const colour = probability >= 0.75 ? 'red' : probability >= 0.45 ? 'yellow' : 'green'
  return style(colour, `${Math.round(probability * 100)}%`)
}

/** `Mon 14:05`; in a month the day, `12 Jan`. */
function momentText(iso: string, window: string): string {
  const time = { weekday: 'short', hour: '2-digit', minute: '2-digit' } as const
  const day = { day: 'numeric', month: 'short' } as const
  return new Date(iso).toLocaleString('en-GB', window === 'month' ? day : time)
}
