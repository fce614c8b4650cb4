import { NEW_ROW } from '../table.ts'
import { NO_LINKS, type RecentRow } from './recent-table.ts'

export const WINDOW_MS = 600_000
export const WINDOWS_PER_HOUR = 6
const HOURS_PER_DAY = 24
/** What a sum reaches back, in windows; and how many hours before are left out of what it is held against. */
export const SPANS = [
  { windows: 1, skippedHours: 0 },
  { windows: 6, skippedHours: 1 },
  { windows: 18, skippedHours: 2 },
] as const
const MAX_WINDOWS = 18
/**
 * Recent is what the last so many hours with traffic were, however far back, up to two weeks. By the clock, a scope that
 * sleeps at night would be held against little.
 */
const REMEMBERED_HOURS = 48
const MAX_AGE_HOURS = 14 * HOURS_PER_DAY
/** Single windows leap about, so they are held against a day's. */
const HOURS_FOR_WINDOWS = 24
/** Fewer hours with traffic, or a shorter time, are no history. */
const MIN_ACTIVE_HOURS = 12
const MIN_AGE_HOURS = 24

/** An hour with traffic: its number since 1970, its tokens, and the highest sum of each span that ended in it. */
type ActiveHour = [hour: number, total: number, top1: number, top6: number, top18: number]

/** An episode of sums above something, without a gap of more than an hour. Windows count since 1970. */
export type Episode = {
  readonly fromWindow: number
  lastWindow: number
  /** The highest score. */
  peak: number
}

/** An episode above the limit, with its tokens from `fromWindow` on and what gave it away. */
export type Alarm = Episode & {
  tokens: number
  readonly span: number
  readonly top: number
  readonly limit: number
  /** How many of the levels were told of. */
  told: number
}

/** The recent traffic of one scope. `key` names dimension and scope. */
export type SpikeScope = RecentRow & {
  readonly firstHour: number
  /** The newest window, and its tokens and those before it, newest last, at most 18. */
  window: number
  recent: number[]
  /** Hours that are over, newest last; the current one. */
  hours: ActiveHour[]
  current: ActiveHour
  /** Above what was recently seen at all; learned from when it is over. */
  excess: Episode | null
  /** Above the limit. */
  alarm: Alarm | null
  /** The highest scores of earlier episodes, with the days on which they ended. */
  peaks: [day: number, score: number][]
  /** Days since 1970 up to which its days are counted, and how many were. */
  countedDay: number
  /** For the current hour; `null` before the first. It is kept, since peers move on within the hour. */
  standard: Standard | null
}

/** What the sums of an hour are held against. */
export type Standard = {
  readonly hour: number
  /** Highest recent sums by span; `null` where history is insufficient. */
  readonly tops: readonly number[] | null
  readonly limit: number
  /** Tokens of a usual hour; 0 where history is insufficient. */
  readonly usualHour: number
  /** Whose sums they are. */
  readonly of: 'scope' | 'peers'
}

export const hourOf = (window: number): number => Math.floor(window / WINDOWS_PER_HOUR)
export const dayOf = (window: number): number => Math.floor(hourOf(window) / HOURS_PER_DAY)

export function beginScope(key: string, use: number, window: number): SpikeScope {
  const hour = hourOf(window)
  return {
    key,
    order: use,
    lastUse: use,
    firstHour: hour,
    window,
    recent: [0],
    hours: [],
    current: [hour, 0, 0, 0, 0],
    excess: null,
    alarm: null,
    peaks: [],
    countedDay: dayOf(window),
    standard: null,
    ...NEW_ROW,
    ...NO_LINKS,
  }
}

/** Adds tokens to a window. @returns false where it lies too far back to be added */
export function addTokens(scope: SpikeScope, window: number, tokens: number): boolean {
  const back = scope.window - window
  if (back >= scope.recent.length) return false
  if (back < 0) moveTo(scope, window)
  const at = scope.recent.length - 1 - Math.max(0, back)
  scope.recent[at] = (scope.recent[at] ?? 0) + tokens
  const { current } = scope
  current[1] += tokens
  current[2] = Math.max(current[2], scope.recent[at] ?? 0)
  current[3] = Math.max(current[3], sumOf(scope, 1))
  current[4] = Math.max(current[4], sumOf(scope, 2))
  return true
}

/** Makes a later window the newest. */
function moveTo(scope: SpikeScope, window: number): void {
  const steps = window - scope.window
  if (steps >= MAX_WINDOWS) scope.recent = Array.from({ length: MAX_WINDOWS }, () => 0)
  else {
    for (let step = 0; step < steps; step++) scope.recent.push(0)
    scope.recent = scope.recent.slice(-MAX_WINDOWS)
  }
  scope.window = window
  const hour = hourOf(window)
  if (hour === scope.current[0]) return
  if (scope.current[1] > 0) scope.hours.push(scope.current)
  scope.current = [hour, 0, 0, 0, 0]
  let first = Math.max(0, scope.hours.length - REMEMBERED_HOURS)
  while ((scope.hours[first]?.[0] ?? hour) < hour - MAX_AGE_HOURS) first++
  if (first > 0) scope.hours = scope.hours.slice(first)
}

/** Tokens of the newest windows of a span. @param span a place in `SPANS` */
export function sumOf({ recent }: SpikeScope, span: number): number {
  const count = SPANS[span]?.windows ?? 1
  let sum = 0
  for (let at = Math.max(0, recent.length - count); at < recent.length; at++) {
    sum += recent[at] ?? 0
  }
  return sum
}

/** The highest recent sums by span; `null` where history is insufficient. */
export function topsOf({ hours, current, firstHour }: SpikeScope): number[] | null {
  const hour = current[0]
  if (hour - firstHour < MIN_AGE_HOURS) return null
  const tops = SPANS.map(({ skippedHours }, span) => {
    let top = 0
    let count = 0
    const wanted = span === 0 ? HOURS_FOR_WINDOWS : REMEMBERED_HOURS
    for (let at = hours.length - 1; at >= 0 && count < wanted; at--) {
      const past = hours[at]
      if (!past || past[0] >= hour - skippedHours) continue
      count++
      top = Math.max(top, past[span + 2] ?? 0)
    }
    return count >= MIN_ACTIVE_HOURS ? top : 0
  })
  return tops.every((top) => top > 0) ? tops : null
}

/** The part of the recent hours that had traffic, between 0 and 1. */
export function activity({ hours, current }: SpikeScope): number {
  const first = hours[0]
  if (!first) return 0
  return Math.min(1, hours.length / (current[0] - first[0]))
}

/** Mean tokens of the recent hours with traffic; 0 where there are none. */
export function usualHour({ hours }: SpikeScope): number {
  let total = 0
  for (const hour of hours) total += hour[1]
  return hours.length > 0 ? Math.round(total / hours.length) : 0
}

/** Takes a window above something into an episode; begins one where the last is over. */
export function extend(episode: Episode | null, window: number, score: number): Episode {
  if (!episode || isOver(episode, window)) {
    return { fromWindow: window, lastWindow: window, peak: score }
  }
  episode.lastWindow = window
  episode.peak = Math.max(episode.peak, score)
  return episode
}

/** The first window in which an episode is over: more than an hour after its last. */
export const endOf = ({ lastWindow }: Episode): number => lastWindow + WINDOWS_PER_HOUR + 1

export const isOver = (episode: Episode, window: number): boolean => window >= endOf(episode)
