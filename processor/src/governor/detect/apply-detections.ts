import { type TaskEnd, UNKNOWN, type UsageEvent } from '@tokenfuse/protocol'
import type { Effect } from '../effect.ts'
import type { GovernorState } from '../state.ts'
import {
  type AlertFacts,
  alertKey,
  type AlertRow,
  runawayFacts,
  runKey,
  spikeFacts,
} from './alert.ts'
import { decideOn, endDecisionOn, isStopping, needsDecision } from './alert-decisions.ts'
import { statusOf } from './alerts.ts'
import type { RunEnd } from './detection.ts'
import { LEVELS } from './levels.ts'
import type { SpikeDetection } from './spike-detector.ts'

/** Shows the detectors a call that was counted and loaded, and tells of what they find. */
export function observeCall(
  state: GovernorState,
  event: UsageEvent,
  timeMs: number,
  effects: Effect[],
): void {
  const { detectors, logTimeMs, amounts } = state
  if (amounts.isRefusal) return
  const runaways = detectors.runaways.observe(event, logTimeMs, detectors.taskScope())
  for (const detection of runaways) {
    tell(state, event.tenant, runawayFacts(detection, event), effects)
  }
  observeSpend(state, event, timeMs, effects)
}

function observeSpend(
  state: GovernorState,
  { tenant }: UsageEvent,
  timeMs: number,
  effects: Effect[],
): void {
  const { detectors, call, amounts, logTimeMs } = state
  const tokens = amounts.inputTokens + amounts.outputTokens
  const spikes = detectors.feed.advance(logTimeMs)
  if (spikes.length > 0) tellSpikes(state, tenant, spikes, effects)
  if (tokens === 0) return
  for (const { dimension, scopeNumber } of detectors.watched) {
    const scope = call.scopes[scopeNumber]
    // Those whose user is not known are no user, and the tenant has their sum.
    if (!scope || (dimension === 'user' && scope.first === UNKNOWN)) continue
    const found: SpikeDetection[] = []
    const name = { dimension, name: scope.first }
    scope.feed = detectors.feed.add(scope.feed, name, timeMs, tokens, found)
    if (found.length > 0) tellSpikes(state, tenant, found, effects)
  }
}

/** Ends what is over by log time, and tells of it. */
export function tickDetections(state: GovernorState, effects: Effect[]): void {
  const { detectors, logTimeMs } = state
  const tenant = state.policy?.event.tenant ?? 'default'
  tellSpikes(state, tenant, detectors.feed.advance(logTimeMs), effects)
  tellSpikes(state, tenant, detectors.spikes.advance(logTimeMs), effects)
  for (const end of detectors.runaways.advance(logTimeMs)) endRun(state, end, effects)
  for (const row of detectors.alerts.inForce()) {
    if (row.holdsUntilMs > logTimeMs) continue
    endDecisionOn(state, row, 'its time is over', effects)
    if (row.untilMs === null) end(state, row, null, effects)
  }
}

/** A task is over, as the app says. What it used is a measure for others, unless tokenfuse has stopped it. */
export function endTask(state: GovernorState, event: TaskEnd): void {
  const { detectors, logTimeMs } = state
  const wasStopped = detectors.alerts.inForce().some((row) => {
    const { run, kind } = row.facts
    // What fans out is stopped for every agent of the task.
    const isMeant = event.agent === UNKNOWN || kind === 'fan-out' || run?.agent === event.agent
    return run?.task === event.task && isMeant && isStopping(row)
  })
  const ending = wasStopped ? 'stopped' : event.outcome
  detectors.runaways.endTask(event.tenant, event.agent, event.task, ending, logTimeMs)
}

/** Another policy is in force: what it does about alerts may be another thing. */
export function reconsiderAlerts(state: GovernorState, effects: Effect[]): void {
  for (const row of state.detectors.alerts.inForce()) {
    if (needsDecision(state, row)) decideOn(state, row, effects)
  }
}

function tellSpikes(
  state: GovernorState,
  tenant: string,
  spikes: readonly SpikeDetection[],
  effects: Effect[],
): void {
  for (const spike of spikes) {
    const facts = spikeFacts(spike)
    if (spike.state !== 'ended') {
      tell(state, tenant, facts, effects)
      continue
    }
    const row = state.detectors.alerts.find(alertKey(facts))
    if (!row) continue
    endDecisionOn(state, row, 'its spend has come back', effects)
    end(state, row, facts.tokens, effects)
  }
}

function tell(state: GovernorState, tenant: string, facts: AlertFacts, effects: Effect[]): void {
  const { detectors, offset, logTimeMs, hash } = state
  const { alerts } = detectors
  const known = alerts.find(alertKey(facts))
  if (known && LEVELS.indexOf(facts.level) <= LEVELS.indexOf(known.facts.level)) return
  const id = `a${offset}-${effects.length}`
  const row = known ?? alerts.begin(id, tenant, facts, logTimeMs)
  if (known) alerts.rise(row, facts, logTimeMs)
  hash.fold(row.key + facts.level)
  decideOn(state, row, effects)
  effects.push({
    type: 'detection',
    change: known ? 'rose' : 'began',
    detection: statusOf(row),
  })
  const surplus = alerts.surplus()
  if (!surplus) return
  endDecisionOn(state, surplus, 'there are too many alerts', effects)
  alerts.evict(surplus)
}

function endRun(state: GovernorState, { run, agent, tokens, alarms }: RunEnd, effects: Effect[]) {
  for (const kind of new Set(alarms.map((alarm) => alarm.kind))) {
    const row = state.detectors.alerts.find(runKey(kind, agent, run))
    if (!row) continue
    const wasStopped = isStopping(row)
    // A task that was killed stays so: falling silent is what it was to do.
    if (row.action !== 'kill') endDecisionOn(state, row, 'the task is over', effects)
    end(state, row, wasStopped ? null : tokens, effects)
  }
}

function end(state: GovernorState, row: AlertRow, tokens: number | null, effects: Effect[]): void {
  state.detectors.alerts.end(row, state.logTimeMs, tokens)
  state.hash.fold(row.key)
  effects.push({ type: 'detection', change: 'ended', detection: statusOf(row) })
}
