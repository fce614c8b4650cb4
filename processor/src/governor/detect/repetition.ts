import type { Evidence, EvidenceRule } from './detection.ts'
import { hash32 } from './key-hash.ts'
import { levelsReached, type PerLevel } from './levels.ts'

/** Turns that may make up one round of a loop. */
const MAX_PERIOD = 5
/** Calls with their results that are remembered. */
const REMEMBERED_PAIRS = 25
/** A loop of one turn is also what waiting looks like, so it has to last longer. */
const SINGLE_ROUNDS: PerLevel = [5, 7, 10, 14]
const LONG_ROUNDS: PerLevel = [3, 4, 6, 8]
const SAME_PAIR: PerLevel = [6, 8, 11, 15]
const REPEAT_PERCENT: PerLevel = [50, 60, 75, 88]
/** Results without their calls have to repeat so much more often. */
const PARTIAL_SCALE = 2
const USUAL_TOKENS_UNKNOWN = 100_000
/** Fewer pairs than this say nothing of how many are repeats. */
const MIN_PAIRS = 16

/**
 * What a run's last tool calls were, as hashes of calls together with their results: a call that brings something new
 * is no repetition. Plain data of bounded size.
 */
export type Repetition = {
  /** The last turns, newest last. */
  turns: number[]
  /** For each period from 1 on, how many of the newest turns equal the one that many turns before. */
  matches: number[]
  /** The last calls with their results, newest last; the same ones in one turn count once. */
  pairs: number[]
  /** Tokens of turns that told of nothing but what was known. */
  repeatedTokens: number
  /** Results came without their calls (the provider keeps the conversation), which says less. */
  isPartial: boolean
}

export const noRepetition = (): Repetition => ({
  turns: [],
  matches: [],
  pairs: [],
  repeatedTokens: 0,
  isPartial: false,
})

/** How a run repeats itself, by how many of `LEVELS` that reaches; one entry for each rule that reached any. */
export type RepetitionFound = { readonly levels: number; readonly evidence: readonly Evidence[] }

/**
 * Takes a turn's calls and results in.
 * @param tokens of the call that told of them
 * @returns `null` where it told of none
 */
export function addTurn(
  repetition: Repetition,
  calls: readonly string[],
  results: readonly string[],
  tokens: number,
): RepetitionFound | null {
  if (results.length === 0) return null
  if (calls.length === 0) repetition.isPartial = true
  const pairs = pairsOf(calls, results)
  if (pairs.every((pair) => repetition.pairs.includes(pair))) repetition.repeatedTokens += tokens
  for (const pair of pairs) {
    repetition.pairs.push(pair)
    if (repetition.pairs.length > REMEMBERED_PAIRS) repetition.pairs.shift()
  }
  addToCycles(repetition, pairs.length === 1 ? (pairs[0] ?? 0) : hash32(pairs.join()))
  return found(repetition, pairs)
}

/** Different calls of one turn, each with its result, in an order that does not depend on theirs. */
function pairsOf(calls: readonly string[], results: readonly string[]): number[] {
  if (calls.length !== results.length) return [hash32(results.join(), hash32(calls.join()))]
  const pairs = calls.map((call, at) => hash32(results[at] ?? '', hash32(call)))
  if (pairs.length === 1) return pairs
  return [...new Set(pairs)].sort((a, b) => a - b)
}

function addToCycles(repetition: Repetition, turn: number): void {
  const { turns } = repetition
  for (let period = 1; period <= MAX_PERIOD; period++) {
    const isSame = turns.length >= period && turns[turns.length - period] === turn
    repetition.matches[period - 1] = isSame ? (repetition.matches[period - 1] ?? 0) + 1 : 0
  }
  turns.push(turn)
  if (turns.length > MAX_PERIOD) turns.shift()
}

const NOTHING: RepetitionFound = { levels: 0, evidence: [] }

function found(repetition: Repetition, newest: readonly number[]): RepetitionFound {
  const { matches, pairs, isPartial } = repetition
  let samePair = 0
  for (const pair of newest) samePair = Math.max(samePair, countOf(pairs, pair))
  if (samePair < 2) return NOTHING
  const evidence: Evidence[] = []
  let levels = 0
  const judge = (rule: EvidenceRule, value: number, limits: PerLevel) => {
    const scale = isPartial ? PARTIAL_SCALE : 1
    const reached = levelsReached(value / scale, limits)
    if (reached === 0) return
    levels = Math.max(levels, reached)
    evidence.push({ rule, value, limit: (limits[reached - 1] ?? 0) * scale })
  }
  judge('loop_rounds', roundsOf(matches, 1), SINGLE_ROUNDS)
  let rounds = 0
  for (let period = 2; period <= MAX_PERIOD; period++) {
    rounds = Math.max(rounds, roundsOf(matches, period))
  }
  judge('loop_rounds', rounds, LONG_ROUNDS)
  judge('same_call_and_result', samePair, SAME_PAIR)
  if (pairs.length >= MIN_PAIRS) {
    const repeats = pairs.length - new Set(pairs).size
    judge('repeat_percent', Math.round((100 * repeats) / pairs.length), REPEAT_PERCENT)
  }
  return { levels, evidence }
}

const roundsOf = (matches: readonly number[], period: number): number =>
  Math.floor((matches[period - 1] ?? 0) / period) + 1

function countOf(pairs: readonly number[], pair: number): number {
  let count = 0
  for (const each of pairs) if (each === pair) count++
  return count
}

/**
 * A loop that costs little may be a wait for something: it is stopped only once what it repeated has cost half of what
 * a task usually does, and ended once it has cost as much.
 * @param usualTokens of a finished task; `null` is unknown
 */
export function levelsByCost(levels: number, repeated: number, usualTokens: number | null): number {
  const usual = usualTokens ?? USUAL_TOKENS_UNKNOWN
  if (repeated >= usual) return levels
  return Math.min(levels, repeated >= usual / 2 ? 3 : 2)
}
