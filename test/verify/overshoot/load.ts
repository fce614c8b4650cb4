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
export const CALLS_OF_CALLER = 16
/** From this call of a caller on answers are ten times as long: about half of the budget is spent by then. */
export const GROWN_FROM = 7

/** What the stand-in answers, and what each of the later calls asks of it. */
export const ANSWERS = {
  outputTokens: { median: 100, sigma: 0.4 },
  toolCallRate: 0.3,
  tokensPerEvent: 16,
  latency: { firstTokenMs: { median: 20, sigma: 0.4 }, tokensPerSecond: 2000 },
} as const
export const GROWN_ANSWERS = { outputTokens: { median: 1_000, sigma: 0.4 } } as const

/** One agent's part of the load, as its process is told. */
export type AgentPlan = {
  readonly agent: number
  readonly url: string
  /** The call of the first caller before which the whole process is killed with -9; `null`: it lives. */
  readonly diesBefore: number | null
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

/** Whether the call of a label asks for long answers. */
export function isGrown(label: string | null): boolean {
  return Number(label?.split('-').at(-1) ?? 0) >= GROWN_FROM
}
