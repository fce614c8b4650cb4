import type { Detection, Evidence } from './detection.ts'
import type { SpikeDetection } from './spike-detector.ts'

/** What gave a runaway away, in one or more sentences. */
export function explain(detection: Detection): string {
  const { evidence, basis, figures, savesTokens } = detection
  // Turns that are all the same are rounds of one turn and of two; once said is enough.
  const told = evidence.filter(({ rule }, at) => evidence.findIndex((e) => e.rule === rule) === at)
  const parts = told.map((each) => sentence(each, detection))
  const { medianTokens, contextSlope, medianContextSlope, repeatedTokens } = figures
  if (medianTokens !== null && basis.of !== 'nothing') {
    const whose = basis.of === 'agent' ? 'of this agent' : 'of all agents'
    parts.push(
      `Learned from ${basis.finished} finished ones ${whose}; half had spent ${medianTokens} by then.`,
    )
  }
  if (contextSlope !== null && medianContextSlope !== null) {
    parts.push(`Its context grows by ${contextSlope} tokens a call, usually ${medianContextSlope}.`)
  }
  if (repeatedTokens > 0)
    parts.push(`Calls that brought nothing new cost ${repeatedTokens} tokens.`)
  if (savesTokens !== null) parts.push(`An end now would save about ${savesTokens} tokens.`)
  return parts.join(' ')
}

function sentence({ rule, value, limit }: Evidence, { step }: Detection): string {
  switch (rule) {
    case 'tokens_after_step':
      return `${value} tokens after ${step} calls, where ${limit} is the limit.`
    case 'tokens_without_baseline':
      return `${value} tokens, and no finished task to hold that against: ${limit} is the limit.`
    case 'loop_rounds':
      return `The same turns, with the same results, ${value} times in a row.`
    case 'same_call_and_result':
      return `The same call with the same result ${value} times among the last ones.`
    case 'repeat_percent':
      return `${value} % of the last calls with their results are repeats.`
    case 'children':
      return `${value} sub-agents in one trace, where ${limit} is the limit.`
    case 'depth':
      return `Sub-agents ${value} deep, where ${limit} is the limit.`
    case 'trace_tokens':
      return `${value} tokens in one trace with sub-agents, where ${limit} is the limit.`
  }
}

/** What is known of a spike, in one or more sentences. */
export function explainSpike(spike: SpikeDetection): string {
  const { minutes, recentTop, of, tokens, excessTokens, state } = spike
  const whose = of === 'scope' ? 'its own highest of late' : 'what nearly all of its peers reach'
  const span = minutes < 60 ? `${minutes} minutes` : `${minutes / 60} h`
  const verb = state === 'ended' ? 'spent' : 'spends'
  return (
    `${spike.dimension} ${spike.scope} ${verb} far beyond ${whose}, ${recentTop} tokens in ${span}: ` +
    `${tokens} tokens since it began, ${excessTokens} more than usual.`
  )
}
