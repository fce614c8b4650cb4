// The part of the contracts that the preload can afford to load: names and arithmetic, no schemas, no catalogue.
export * from './agent-metrics.ts'
export * from './attributes.ts'
export * from './decision-book.ts'
export * from './decision-key.ts'
export * from './environment.ts'
export * from './errors.ts'
export * from './money.ts'
export * from './scope.ts'
export * from './tokens.ts'
export * from './usage-part.ts'
export * from './policy/counts-another.ts'
export * from './policy/limit.ts'
export * from './policy/rolling.ts'
export * from './policy/run-budget.ts'
export * from './pricing/ceiling.ts'
export * from './pricing/rate.ts'
export * from './pricing/charges.ts'
export { CREDIT_TTL_MARGIN_MS, CREDIT_TTL_MS } from './stream.ts'
export type * from './stream.ts'
export type {
  Account,
  AccountReport,
  CallProfile,
  CreditReport,
  CreditRequest,
  OutputQuantiles,
} from './credit.ts'
export type { Action, BudgetUnit, Decision } from './decision.ts'
export type { Budget } from './policy/schema.ts'
export type { TaskOutcome } from './log-event.ts'
export type { Charge, ChargeKind, OwnRefusal, Priced, Verdict } from './usage-event.ts'
