/** How one call of the load is made. */
export type Kind = {
  readonly family: 'openai' | 'anthropic'
  readonly stream: boolean
  readonly tools: boolean
  /** The app's own limit of output tokens; `null` where it sets none. */
  readonly maxTokens: number | null
}

/** Above nearly every answer, so that it is the budget that cuts answers short. */
const LIMIT = 2_500

const openai = (stream: boolean, tools: boolean, maxTokens: number | null): Kind => ({
  family: 'openai',
  stream,
  tools,
  maxTokens,
})
/** Anthropic takes no request without a limit. */
const anthropic = (stream: boolean, tools: boolean): Kind => ({
  family: 'anthropic',
  stream,
  tools,
  maxTokens: LIMIT,
})

/** Half of them without a limit, half of them streams, a third with tools. */
export const KINDS: readonly Kind[] = [
  openai(false, false, null),
  openai(true, false, null),
  openai(true, true, null),
  openai(false, false, LIMIT),
  anthropic(true, false),
  openai(false, true, null),
  openai(true, false, null),
  anthropic(false, true),
  openai(true, false, LIMIT),
  openai(false, false, null),
  openai(true, true, LIMIT),
  anthropic(false, false),
]

export const AGENTS = 8
export const CALLERS_EACH = 8

/** One agent's part of the load, as its process is told. */
export type AgentPlan = {
  readonly agent: number
  readonly callsOfCaller: number
  readonly url: string
  /** A shared counter to ask before each call and to tell after it; `null` where tokenfuse guards. */
  readonly counterUrl: string | null
}

/** A call of the load, as the agent saw it; times are epoch milliseconds with fractions. */
export type MadeCall = {
  readonly label: string
  readonly startedAt: number
  readonly endedAt: number
  readonly outcome: 'answered' | 'refused' | 'failed'
  /** What the SDK threw. */
  readonly error: string | null
}

/** The calls of one caller mix all kinds, and callers that run side by side are at different ones. */
export function kindOf(agent: number, caller: number, index: number): Kind {
  const position = (agent * CALLERS_EACH + caller) * 5 + index
  return KINDS[position % KINDS.length] as Kind
}

export function labelOf(agent: number, caller: number, index: number): string {
  return `${agent}-${caller}-${index}`
}
