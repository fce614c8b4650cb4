export { advance, advanceDueMs } from './advance.ts'
export {
  BREACH_EXPECTED,
  type Forecast,
  forecastAt,
  type ForecastQuestion,
  type PastError,
} from './forecast.ts'
export { beginHistory, type ForecastHistory, recordUsage } from './history.ts'
export { type ForecastWindow, type Span, type SpanAt } from './plan.ts'
export { emptyPool, type ForecastPool } from './pool.ts'
