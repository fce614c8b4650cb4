import { sum } from './baselines.ts'
import { type Answer, LIMIT_MEANS } from './replay.ts'
import { WINDOWS_PER_DAY } from './series.ts'

/** Hours from the start of the day until the limit is passed; null where it is not in that day. */
export type Clock = (answer: Answer) => number | null

const WINDOWS_PER_HOUR = 6
const HOURS_3 = 18

export const limitOf = ({ meanDay }: Answer) => LIMIT_MEANS * meanDay

/** When it truly was. */
export const trueClock: Clock = (answer) => crossing(answer, windowsOf(answer, 0))

export const CLOCKS: Readonly<Record<string, Clock>> = {
  forecast: (answer) => answer.exhaustionHours,
  linear: (answer) => steady(answer, answer.spent / (answer.fraction * WINDOWS_PER_DAY)),
  yesterday: (answer) => crossing(answer, windowsOf(answer, -WINDOWS_PER_DAY)),
  lastHours3: (answer) => {
    const now = nowOf(answer)
    return steady(answer, sum(answer.series.tokens, now - HOURS_3, now) / HOURS_3)
  },
}

const startOf = ({ day }: Answer) => (day - 1) * WINDOWS_PER_DAY
const nowOf = (answer: Answer) => startOf(answer) + answer.fraction * WINDOWS_PER_DAY

/** The windows from now to the end of the day, or those that lie `shift` windows off. */
function windowsOf(answer: Answer, shift: number): Float64Array {
  const end = startOf(answer) + WINDOWS_PER_DAY
  return answer.series.tokens.subarray(nowOf(answer) + shift, end + shift)
}

function steady(answer: Answer, perWindow: number): number | null {
  const left = Math.round(WINDOWS_PER_DAY * (1 - answer.fraction))
  return crossing(answer, new Float64Array(left).fill(perWindow))
}

function crossing(answer: Answer, windows: Float64Array): number | null {
  let used = answer.spent
  for (const [window, tokens] of windows.entries()) {
    if (used + tokens > limitOf(answer)) {
      const share = (limitOf(answer) - used) / tokens
      return answer.fraction * 24 + (window + share) / WINDOWS_PER_HOUR
    }
    used += tokens
  }
  return null
}
