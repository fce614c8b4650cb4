import type { Answer } from './replay.ts'

/** What the forecast's intervals are held against: adaptive conformal inference on the plain median of experts. */
export type AdaptiveInterval = { readonly lower: number; readonly upper: number }

const MISS_SHARE = 0.2
const STEP = 0.1
const OWN_WEIGHT = 10

/**
 * Errors in mean days of all clients' earlier days, a client's own counting ten times; the share that is to be missed
 * follows what was missed (Gibbs and Candès 2021, step 0.1), for each client and part of the day.
 * @param answers with history enough, of clients alone
 * @param fromDay the first day that gets intervals; earlier days only give errors
 */
export function adaptiveIntervals(
  answers: readonly Answer[],
  fromDay: number,
): Map<Answer, AdaptiveInterval> {
  const intervals = new Map<Answer, AdaptiveInterval>()
  const missShares = new Map<string, number>()
  const scores: { readonly answer: Answer; readonly score: number }[] = []
  const days = [...new Set(answers.map(({ day }) => day))].sort((a, b) => a - b)
  for (const day of days) {
    const today = answers.filter((answer) => answer.day === day)
    for (const answer of day < fromDay ? [] : today) {
      const interval = intervalOf(answer, scores, missShares.get(keyOf(answer)) ?? MISS_SHARE)
      if (interval) intervals.set(answer, interval)
    }
    for (const answer of today) {
      scores.push({ answer, score: (answer.actual - answer.baselines.median) / answer.meanDay })
      const interval = intervals.get(answer)
      if (!interval) continue
      const isMissed = answer.actual < interval.lower || answer.actual > interval.upper
      const before = missShares.get(keyOf(answer)) ?? MISS_SHARE
      const after = before + STEP * (MISS_SHARE - (isMissed ? 1 : 0))
      missShares.set(keyOf(answer), Math.min(0.999, Math.max(0.001, after)))
    }
  }
  return intervals
}

const keyOf = ({ model, client, fraction }: Answer) => `${model}/${client}/${fraction}`

function intervalOf(
  answer: Answer,
  scores: readonly { readonly answer: Answer; readonly score: number }[],
  missShare: number,
): AdaptiveInterval | null {
  const weighted = scores
    .filter((other) => other.answer.fraction === answer.fraction)
    .map(({ answer: other, score }) => ({
      score,
      weight: keyOf(other) === keyOf(answer) ? OWN_WEIGHT : 1,
    }))
    .sort((a, b) => a.score - b.score)
  if (weighted.length === 0) return null
  const all = weighted.reduce((total, { weight }) => total + weight, 0)
  const quantile = (share: number) => {
    let passed = 0
    for (const { score, weight } of weighted) {
      passed += weight
      if (passed >= share * all) return score
    }
    return weighted.at(-1)?.score ?? 0
  }
  const at = (share: number) => answer.baselines.median + quantile(share) * answer.meanDay
  const lower = Math.max(answer.spent, at(missShare / 2))
  return { lower, upper: Math.max(lower, at(1 - missShare / 2)) }
}
