import type { CallScopes } from '../call-scopes.ts'
import { SLOT } from '../call-scopes.ts'
import type { Scope } from '../scopes.ts'
import type { StateChange, StateRecord } from '../table.ts'
import { SPIKE_DIMENSIONS, type SpikeDimension } from './alert.ts'
import { Alerts } from './alerts.ts'
import { RunawayDetector } from './runaway-detector.ts'
import { SpikeDetector } from './spike-detector.ts'
import { SpikeFeed } from './spike-feed.ts'

/** What finds runaways and spikes, and what they have found. */
export class Detectors {
  readonly runaways = new RunawayDetector()
  readonly spikes = new SpikeDetector()
  readonly feed: SpikeFeed
  readonly alerts: Alerts
  /** Of a call's scopes, those whose spend is watched for spikes. */
  readonly watched: readonly { readonly dimension: SpikeDimension; readonly scopeNumber: number }[]

  readonly #call: CallScopes
  readonly #taskScope: number

  constructor(call: CallScopes, nextOrder: () => number) {
    this.feed = new SpikeFeed(this.spikes, nextOrder)
    this.alerts = new Alerts(nextOrder)
    this.#call = call
    this.#taskScope = call.numberOf([SLOT.agent, SLOT.task])
    this.watched = SPIKE_DIMENSIONS.map((dimension) => ({
      dimension,
      scopeNumber: call.numberOf([SLOT[dimension]]),
    }))
  }

  /** Of the call that is loaded, the scope of its agent and task. */
  taskScope(): Scope | null {
    return this.#call.scopes[this.#taskScope] ?? null
  }

  /** Log time from which on a tick would do something; infinite for never. */
  dueMs(): number {
    const { runaways, spikes, feed, alerts } = this
    const runawaysMs = runaways.dueMs() ?? Infinity
    return Math.min(runawaysMs, spikes.dueMs() ?? Infinity, feed.dueMs(), alerts.dueMs())
  }

  takeChanges(): StateChange[] {
    return [this.runaways, this.spikes, this.feed, this.alerts].flatMap((part) => {
      return part.takeChanges()
    })
  }

  restore(of: (prefix: string) => readonly StateRecord[]): void {
    this.runaways.restore(of)
    this.spikes.restore(of)
    this.feed.restore(of(this.feed.prefix))
    this.alerts.restore(of(this.alerts.prefix))
  }
}
