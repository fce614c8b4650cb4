import { DETECTION_LEVELS, type DetectionLevel } from '@tokenfuse/protocol'

/** How far a runaway has gone, mildest first: tell of it, spend less on it, stop it until someone looks, end it. */
export const LEVELS = DETECTION_LEVELS
export type Level = DetectionLevel

/** The same call with the same result again and again; a task that outgrows its likes; a tree of sub-agents. */
export const KINDS = ['repetition', 'bloat', 'fan-out'] as const
export type Kind = (typeof KINDS)[number]

/** One number for each level. */
export type PerLevel = readonly [notice: number, cheaper: number, pause: number, kill: number]

/** How many of the limits, one for each level and rising, a value has reached: 0 none, 4 all. */
export function levelsReached(value: number, limits: PerLevel): number {
  let reached = 0
  for (const limit of limits) if (value >= limit) reached++
  return reached
}
