import { plainCodec, type StateChange, type StateRecord } from '../table.ts'
import { type Level, LEVELS, levelsReached, type PerLevel } from './levels.ts'
import { RecentTable } from './recent-table.ts'
import { limitFor, WANTED_PER_DAY } from './spike-peers.ts'
import { SpikePeerTable } from './spike-peer-table.ts'
import {
  activity,
  addTokens,
  type Alarm,
  beginScope,
  dayOf,
  endOf,
  type Episode,
  extend,
  isOver,
  SPANS,
  type SpikeScope,
  type Standard,
  sumOf,
  topsOf,
  usualHour,
  WINDOW_MS,
  WINDOWS_PER_HOUR,
} from './spike-scope.ts'

const MAX_SCOPES = 20_000
/** A scope that was silent for so long, a day, may go for another one. */
const IDLE_WINDOWS = 24 * WINDOWS_PER_HOUR
const SEPARATOR = '\u0000'
/** Single windows have to go so much further beyond the recent ones than sums. */
const WINDOW_SCALE = 1.8
/** An alarm goes on as long as the score is above this part of the limit. */
const HOLD = 0.8
/** A scope that spends less in an hour is not worth an alarm. */
const MIN_TOKENS_PER_HOUR = 10_000
/** An hour of so many times the usual is an alarm as soon as it is a new high, whatever leaps a scope is used to. */
const FAR_BEYOND_USUAL = 8
const LIMIT_FAR_BEYOND_USUAL = 1.15
/** The place of the sum of an hour among the spans. */
const HOUR_SPAN = 1
/** Of the limit, how far the score has to go for each level. */
const LEVEL_FACTORS: PerLevel = [1, 1.5, 2.5, 5]
/** A scope without a history has to spend so many times what nearly all of its peers do at most. */
const NEWCOMER_LIMIT = 3
/** Own peaks are remembered so long, the highest so many. */
const PEAK_DAYS = 28
const MAX_PEAKS = 16

/** A scope's spend has leapt beyond what it was recently, or has come back. */
export type SpikeDetection = {
  readonly state: 'began' | 'rose' | 'ended'
  readonly level: Level
  readonly dimension: string
  readonly scope: string
  /** Whose highest sum it is held against: its own, or, where it is new, that of nearly all of its peers. */
  readonly of: 'scope' | 'peers'
  readonly fromMs: number
  /** Length of the sum that gave it away, and the highest recent one of that length. */
  readonly minutes: number
  readonly recentTop: number
  /** Since `fromMs`. */
  readonly tokens: number
  /** The sum in recent tops (for single windows two thirds of that), and the limit it has passed. */
  readonly score: number
  readonly limit: number
  /** Alarms a day that the limit is set for. */
  readonly wantedPerDay: number
  /** Tokens since it began, beyond what the scope usually spends in that time: what it would save to end it. */
  readonly excessTokens: number
}

/**
 * Finds spikes in the spend of scopes of any dimension, each against its own recent highest sums. Its limit is learned
 * from its own past and from scopes that are busy as often, for about one alarm in ten days. State is bounded.
 */
export class SpikeDetector {
  readonly #scopes = new RecentTable<SpikeScope>('spike-scope', plainCodec())
  readonly #peers = new SpikePeerTable()
  readonly #maxScopes: number
  /** Scopes with an episode that is not over. */
  readonly #open = new Set<SpikeScope>()
  /** Scopes by dimension. */
  readonly #sizes = new Map<string, number>()
  /** Scopes that had to go for others, and those that found no room, each counted whenever it was tried. */
  evicted = 0
  /** Calls too old to be added to a scope's recent windows. */
  late = 0

  constructor(maxScopes = MAX_SCOPES) {
    this.#maxScopes = maxScopes
  }

  /**
   * Takes a counted call of a scope in.
   * @param timeMs at which it was admitted @param tokens all of it
   * @returns an alarm that began or ended, if any
   */
  observe(dimension: string, name: string, timeMs: number, tokens: number): SpikeDetection[] {
    const window = Math.floor(timeMs / WINDOW_MS)
    const found: SpikeDetection[] = []
    const scope = this.#scopeAt(dimension, name, window)
    if (!scope) return found
    if (window > scope.window) this.#closeEpisodes(scope, window, found)
    if (!addTokens(scope, window, tokens)) {
      this.late++
      return found
    }
    this.#scopes.use(scope)
    this.#judge(scope, tokens, found)
    return found
  }

  /** Whether a scope is watched, or would be from its next call on. */
  hasRoomFor(dimension: string, name: string, timeMs: number): boolean {
    const key = dimension + SEPARATOR + name
    if (this.#scopes.get(key)) return true
    const [hasRoom, idle] = this.#roomFor(dimension, Math.floor(timeMs / WINDOW_MS))
    return hasRoom || idle !== null
  }

  /**
   * Many scopes that come and go must not push out those that have a history, or nobody would have one: room is made
   * only by one that is idle, and no dimension takes more than half of it.
   */
  #roomFor(dimension: string, window: number): [hasRoom: boolean, idle: SpikeScope | null] {
    const isCrowded = (this.#sizes.get(dimension) ?? 0) >= this.#maxScopes / 2
    if (!isCrowded && this.#scopes.size < this.#maxScopes) return [true, null]
    const oldest = this.#scopes.oldest()
    if (!oldest || oldest.window > window - IDLE_WINDOWS) return [false, null]
    return [false, !isCrowded || dimensionOf(oldest) === dimension ? oldest : null]
  }

  /** @returns null where there is no room for it */
  #scopeAt(dimension: string, name: string, window: number): SpikeScope | null {
    const key = dimension + SEPARATOR + name
    const known = this.#scopes.get(key)
    if (known) return known
    const [hasRoom, idle] = this.#roomFor(dimension, window)
    if (!hasRoom) this.evicted++
    if (idle) this.#delete(idle)
    else if (!hasRoom) return null
    const scope = beginScope(key, this.#scopes.nextUse(), window)
    this.#scopes.add(scope)
    this.#sizes.set(dimension, (this.#sizes.get(dimension) ?? 0) + 1)
    return scope
  }

  #delete(scope: SpikeScope): void {
    const dimension = dimensionOf(scope)
    this.#scopes.delete(scope)
    this.#open.delete(scope)
    this.#sizes.set(dimension, (this.#sizes.get(dimension) ?? 1) - 1)
  }

  #judge(scope: SpikeScope, tokens: number, found: SpikeDetection[]): void {
    const { tops, limit: learned, usualHour: usual, of } = this.#standardOf(scope)
    if (!tops) return
    const { score, span } = scoreOf(scope, tops)
    const isFarBeyondUsual = usual > 0 && sumOf(scope, HOUR_SPAN) > usual * FAR_BEYOND_USUAL
    const limit = isFarBeyondUsual ? Math.min(learned, LIMIT_FAR_BEYOND_USUAL) : learned
    if (score > 1 && of === 'scope') {
      scope.excess = extend(scope.excess, scope.window, score)
      this.#open.add(scope)
    }
    const { alarm } = scope
    if (alarm) {
      alarm.tokens += tokens
      if (score <= limit * HOLD) return
      alarm.lastWindow = scope.window
      alarm.peak = Math.max(alarm.peak, score)
      const levels = levelsReached(score / alarm.limit, LEVEL_FACTORS)
      if (levels <= alarm.told) return
      alarm.told = levels
      found.push(detectionOf(scope, alarm, 'rose'))
    } else if (score > limit && sumOf(scope, HOUR_SPAN) >= MIN_TOKENS_PER_HOUR) {
      scope.alarm = beginAlarm(scope, span, score, tops[span] ?? 0, limit)
      this.#open.add(scope)
      found.push(detectionOf(scope, scope.alarm, 'began'))
    }
  }

  /** What the current hour's sums are held against; the same for the whole hour. */
  #standardOf(scope: SpikeScope): Standard {
    const hour = scope.current[0]
    if (scope.standard?.hour === hour) return scope.standard
    this.#countDays(scope)
    const tops = topsOf(scope)
    if (tops) {
      const peers = this.#peers.of(dimensionOf(scope), activity(scope))
      const own = scope.peaks.map(([, score]) => score)
      const limit = limitFor(peers, own, Math.min(PEAK_DAYS, ownDaysOf(scope)))
      return (scope.standard = { hour, tops, limit, usualHour: usualHour(scope), of: 'scope' })
    }
    const top = this.#peers.highestUsual(dimensionOf(scope))
    const peerTops = top === null ? null : [Number.MAX_SAFE_INTEGER, top, Number.MAX_SAFE_INTEGER]
    return (scope.standard = {
      hour,
      tops: peerTops,
      limit: NEWCOMER_LIMIT,
      usualHour: 0,
      of: 'peers',
    })
  }

  /** Counts the days since the last were counted, of which it would have been told. */
  #countDays(scope: SpikeScope): void {
    const day = dayOf(scope.window)
    const days = day - scope.countedDay
    if (days <= 0) return
    scope.countedDay = day
    const tops = topsOf(scope)
    if (tops) this.#peers.addDays(dimensionOf(scope), activity(scope), days, tops[HOUR_SPAN] ?? 0)
  }

  /** Ends the episodes of a scope that are over by a window. */
  #closeEpisodes(scope: SpikeScope, window: number, found: SpikeDetection[]): void {
    const { excess, alarm } = scope
    if (excess && isOver(excess, window)) {
      rememberPeak(scope, excess)
      this.#peers.addPeak(dimensionOf(scope), activity(scope), excess.peak)
      scope.excess = null
    }
    if (alarm && isOver(alarm, window)) {
      found.push(detectionOf(scope, alarm, 'ended'))
      scope.alarm = null
    }
    if (!scope.excess && !scope.alarm) this.#open.delete(scope)
  }

  /** Ends the episodes that are over by log time. @returns the alarms that ended */
  advance(timeMs: number): SpikeDetection[] {
    const window = Math.floor(timeMs / WINDOW_MS)
    const found: SpikeDetection[] = []
    const due = [...this.#open].filter((scope) => overAt(scope) <= window)
    for (const scope of due.sort((a, b) => a.order - b.order)) {
      this.#closeEpisodes(scope, window, found)
      this.#scopes.use(scope)
    }
    return found
  }

  /** The alarms that are on, in the order in which their scopes were first seen. */
  alarms(): SpikeDetection[] {
    return [...this.#open]
      .sort((a, b) => a.order - b.order)
      .flatMap((scope) => (scope.alarm ? [detectionOf(scope, scope.alarm, 'began')] : []))
  }

  /** Log time from which on `advance` would do something, or `null`. */
  dueMs(): number | null {
    let due = Infinity
    for (const scope of this.#open) due = Math.min(due, overAt(scope))
    return due === Infinity ? null : due * WINDOW_MS
  }

  takeChanges(): StateChange[] {
    return [...this.#scopes.takeChanges(), ...this.#peers.takeChanges()]
  }

  /** Fills an empty detector from what `takeChanges` gave. @param of the records whose keys begin with a prefix */
  restore(of: (prefix: string) => readonly StateRecord[]): void {
    this.#scopes.restore(of(this.#scopes.prefix))
    this.#peers.restore(of)
    for (const scope of this.#scopes.values()) {
      const dimension = dimensionOf(scope)
      this.#sizes.set(dimension, (this.#sizes.get(dimension) ?? 0) + 1)
      if (scope.excess || scope.alarm) this.#open.add(scope)
    }
  }
}

const dimensionOf = ({ key }: SpikeScope): string => key.slice(0, key.indexOf(SEPARATOR))
const nameOf = ({ key }: SpikeScope): string => key.slice(key.indexOf(SEPARATOR) + 1)

/** The first window in which one of a scope's episodes is over. */
const overAt = ({ excess, alarm }: SpikeScope): number =>
  Math.min(excess ? endOf(excess) : Infinity, alarm ? endOf(alarm) : Infinity)

/** Days of which the scope's own peaks are all; its first day had no history. */
const ownDaysOf = ({ countedDay, firstHour }: SpikeScope): number =>
  Math.max(0, countedDay - Math.floor(firstHour / 24) - 1)

/** How far the newest sums go beyond recent ones, by the span that goes furthest. */
function scoreOf(scope: SpikeScope, tops: readonly number[]): { score: number; span: number } {
  let best = 0
  let span = 0
  for (const [at, top] of tops.entries()) {
    const score = sumOf(scope, at) / (at === 0 ? top * WINDOW_SCALE : top)
    if (score <= best) continue
    best = score
    span = at
  }
  // Rounded, so that it is the same wherever it is compared.
  return { score: Math.round(best * 1e6) / 1e6, span }
}

function rememberPeak(scope: SpikeScope, { lastWindow, peak }: Episode): void {
  const day = dayOf(lastWindow)
  const kept = scope.peaks.filter(([past]) => past > day - PEAK_DAYS)
  kept.push([day, peak])
  scope.peaks = kept.sort((a, b) => b[1] - a[1]).slice(0, MAX_PEAKS)
}

function beginAlarm(
  scope: SpikeScope,
  span: number,
  score: number,
  top: number,
  limit: number,
): Alarm {
  const windows = SPANS[span]?.windows ?? 1
  return {
    fromWindow: scope.window - windows + 1,
    lastWindow: scope.window,
    peak: score,
    tokens: sumOf(scope, span),
    span,
    top,
    limit,
    told: Math.max(1, levelsReached(score / limit, LEVEL_FACTORS)),
  }
}

function detectionOf(
  scope: SpikeScope,
  alarm: Alarm,
  state: SpikeDetection['state'],
): SpikeDetection {
  const windows = alarm.lastWindow - alarm.fromWindow + 1
  const usual = Math.round((usualHour(scope) * windows) / WINDOWS_PER_HOUR)
  return {
    state,
    level: LEVELS[alarm.told - 1] ?? 'notice',
    dimension: dimensionOf(scope),
    scope: nameOf(scope),
    of: scope.standard?.of ?? 'scope',
    fromMs: alarm.fromWindow * WINDOW_MS,
    minutes: (SPANS[alarm.span]?.windows ?? 1) * (WINDOW_MS / 60_000),
    tokens: alarm.tokens,
    recentTop: alarm.top,
    score: alarm.peak,
    limit: alarm.limit,
    wantedPerDay: WANTED_PER_DAY,
    excessTokens: Math.max(0, alarm.tokens - usual),
  }
}
