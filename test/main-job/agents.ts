import { join } from 'node:path'

export type AgentSpec = {
  readonly name: string
  readonly file: string
  /** Where the agent does not say it itself, call by call. */
  readonly task: string | null
}

const file = (name: string) => join(import.meta.dirname, 'agents', `${name}.ts`)

/** The last one is stuck. */
export const AGENTS: readonly AgentSpec[] = [
  { name: 'writer', file: file('writer'), task: 'newsletter' },
  { name: 'researcher', file: file('researcher'), task: 'e-bikes' },
  { name: 'support', file: file('support'), task: null },
  { name: 'fixer', file: file('fixer'), task: 'bug-1203' },
]

export const LOOP = { agent: 'fixer', turns: 100, budgetUsd: '5' } as const

/** Every task of this agent may cost so much, once and for all. */
export const POLICY = `version: 1
budgets:
  - id: fixer-task
    match: { agent: ${LOOP.agent} }
    per: [task]
    limit: { usd: ${LOOP.budgetUsd} }
    window: lifetime
    mode: hard
`

/** What the stand-in is told: a model of today's prices, and answers that come as fast as people can watch. */
export const PROVIDER = {
  models: [
    {
      id: 'o1-2024-12-17',
      family: 'openai',
      usdPerMillion: { input: 15, cacheRead: 7.5, output: 60 },
      reasoning: true,
      maxOutputTokens: 100_000,
    },
  ],
  outputTokens: { median: 240, sigma: 0.5 },
  reasoningTokens: { median: 1400, sigma: 0.2 },
  latency: { firstTokenMs: { median: 220, sigma: 0.4 }, tokensPerSecond: 2000 },
} as const
