import type { HttpBindings } from '@hono/node-server'
import type { Budget, NotifyStatus, PriceCatalogue } from '@tokenfuse/protocol'
import type { GovernorLoop } from '../governor-loop.ts'
import type { EventLog } from '../log/port.ts'
import type { MetricRegistry } from '../metrics/registry.ts'
import type { StreamHub } from './stream/hub.ts'

/** Prices of the policy in force; `overridesVersion` names those that the policy brings, `null` where it brings none. */
export type Prices = {
  readonly catalogue: PriceCatalogue
  readonly overridesVersion: string | null
}

/** What the routes of the control API work with. */
export type ApiContext = {
  readonly version: string
  readonly token: string
  readonly log: EventLog
  readonly loop: GovernorLoop
  readonly metrics: MetricRegistry
  readonly hub: StreamHub
  prices(): Prices
  /** Why the policy file is not what is in force; `null` where it is. */
  policyProblem(): string | null
  /** How telling people goes. */
  notifyStatus(): NotifyStatus
  /** Changes the policy file; see `PolicyKeeper.edit`. */
  editPolicy(change: (text: string) => string, basedOn: number | null): Promise<number>
  /** Puts a budget of a run into force, or takes it away; see `PolicyKeeper.setRunBudget`. */
  setRunBudget(id: string, budget: Budget | null): Promise<number>
  /** Whether the log was read to its end. */
  isReady(): boolean
  /** The wall clock, milliseconds since 1970. */
  now(): number
}

export type ApiEnv = { Bindings: HttpBindings }
