import { z } from 'zod'
import { count, globs, mode, usd, warnAt } from './fields.ts'

/** What agents of a kind are planned to use: tokens a day, and USD a month of 30 such days at a usual mix of models. */
export const PRESETS = {
  'customer-support': { dailyTokens: 500_000, monthlyUsd: '150' },
  research: { dailyTokens: 2_000_000, monthlyUsd: '600' },
  'code-generation': { dailyTokens: 3_000_000, monthlyUsd: '900' },
  'data-analysis': { dailyTokens: 1_000_000, monthlyUsd: '300' },
  'internal-tooling': { dailyTokens: 200_000, monthlyUsd: '60' },
} as const
export type PresetName = keyof typeof PRESETS
export const PRESET_NAMES = Object.keys(PRESETS) as PresetName[]

const MAX_AGENT_LIMITS = 100

const limits = {
  dailyTokens: count.optional().describe('for each agent, in place of what the preset says'),
  monthlyUsd: usd.optional().describe('for each agent, in place of what the preset says'),
}

export const presetSchema = z.strictObject({
  preset: z.enum(PRESET_NAMES, { error: `use one of ${PRESET_NAMES.join(', ')}` }),
  agents: globs.describe('which agents it is for: a glob, or several'),
  ...limits,
  mode,
  warnAt,
  agentLimits: z
    .record(z.string().min(1), z.strictObject(limits))
    .default({})
    .refine((own) => Object.keys(own).length <= MAX_AGENT_LIMITS, {
      error: `a preset has limits of at most ${MAX_AGENT_LIMITS} agents`,
    })
    .describe('agents that get limits of their own, by name'),
})
export type Preset = z.output<typeof presetSchema>

const PREFIX = 'preset.'

/** Whether a budget is made from a preset, and stands in no list of budgets. */
export function isPresetBudget(id: string): boolean {
  return id.startsWith(PREFIX)
}

/** The budgets that a preset stands for, as a person would write them: tokens a day and USD a month for each agent. */
export function presetBudgets(preset: Preset) {
  const { agents, agentLimits } = preset
  const own = Object.keys(agentLimits)
  const others = [
    ...(typeof agents === 'string' ? [agents] : agents),
    ...own.map((name) => `!${name}`),
  ]
  return [
    ...pairOf(preset, preset.preset, others, preset),
    ...own.flatMap((name) => {
      return pairOf(preset, `${preset.preset}.${slug(name)}`, [name], {
        ...preset,
        ...agentLimits[name],
      })
    }),
  ]
}

type Limits = Pick<Preset, 'dailyTokens' | 'monthlyUsd'>

function pairOf(
  { preset, mode: modeOf, warnAt: warnAtOf }: Preset,
  name: string,
  agent: string[],
  { dailyTokens, monthlyUsd }: Limits,
) {
  const { dailyTokens: tokens, monthlyUsd: dollars } = PRESETS[preset]
  const shared = {
    match: { agent },
    per: ['agent'],
    mode: modeOf,
    warnAt: warnAtOf,
    description: `preset ${preset}`,
  }
  return [
    {
      id: `${PREFIX}${name}.day`,
      limit: { tokens: dailyTokens ?? tokens },
      window: 'day',
      ...shared,
    },
    {
      id: `${PREFIX}${name}.month`,
      limit: { usd: monthlyUsd ?? dollars },
      window: 'month',
      ...shared,
    },
  ] as const
}

/** An agent's name as a part of an id. */
const slug = (name: string) =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '-')
    .slice(0, 30)
