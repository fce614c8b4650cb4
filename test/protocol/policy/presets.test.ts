import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  matchesScope,
  parsePolicy,
  PolicyError,
  PRESET_NAMES,
  resolvedPolicySchema,
} from '@tokenfuse/protocol'

const parse = (presets: string) => parsePolicy(`version: 1\npresets:\n${presets}`, 'tokenfuse.yaml')

function problemsOf(text: string): string[] {
  try {
    parsePolicy(text, 'tokenfuse.yaml')
  } catch (error) {
    assert.ok(error instanceof PolicyError)
    return error.problems.map(({ line, field, message }) => `${line} ${field}: ${message}`)
  }
  assert.fail('the policy was accepted')
}

const limitsOf = (presets: string) =>
  parse(presets).budgets.map(({ id, limit, window }) => [id, limit, window])

test('a preset is a daily budget of tokens and a monthly one of USD for each agent, as the planning table says', () => {
  // Daily tokens, and USD a month.
  const table = {
    'customer-support': [500_000, '150'],
    research: [2_000_000, '600'],
    'code-generation': [3_000_000, '900'],
    'data-analysis': [1_000_000, '300'],
    'internal-tooling': [200_000, '60'],
  }
  assert.deepEqual(PRESET_NAMES.toSorted(), Object.keys(table).toSorted())
  for (const [name, [tokens, usd]] of Object.entries(table)) {
    const { budgets } = parse(`  - { preset: ${name}, agents: x-* }`)
    assert.deepEqual(
      budgets.map(({ limit, window, per, match, mode }) => ({ limit, window, per, match, mode })),
      [
        {
          limit: { tokens },
          window: 'day',
          per: ['agent'],
          match: { agent: ['x-*'] },
          mode: 'hard',
        },
        {
          limit: { usd },
          window: 'month',
          per: ['agent'],
          match: { agent: ['x-*'] },
          mode: 'hard',
        },
      ],
    )
  }
})

test('limits of an entry take the place of the preset, and those of an agent that of the entry', () => {
  const presets = `
  - preset: research
    agents: [researcher-*, reader]
    dailyTokens: 1000
    mode: soft
    agentLimits:
      Researcher 7: { monthlyUsd: 9.50 }`
  assert.deepEqual(limitsOf(presets), [
    ['preset.research.day', { tokens: 1000 }, 'day'],
    ['preset.research.month', { usd: '600' }, 'month'],
    ['preset.research.researcher-7.day', { tokens: 1000 }, 'day'],
    ['preset.research.researcher-7.month', { usd: '9.5' }, 'month'],
  ])
  assert.ok(parse(presets).budgets.every(({ mode }) => mode === 'soft'))
})

test('an agent with limits of its own counts in those and not in those of the others', () => {
  const { budgets } = parse(`
  - preset: research
    agents: res-*
    agentLimits: { res-7: { dailyTokens: 5 } }`)
  const values = { tenant: 'default', tags: {} } as never
  const idsFor = (agent: string) =>
    budgets
      .filter(({ match }) => matchesScope(match, { ...(values as object), agent } as never))
      .map(({ id }) => id)
  assert.deepEqual(idsFor('res-7'), ['preset.research.res-7.day', 'preset.research.res-7.month'])
  assert.deepEqual(idsFor('res-8'), ['preset.research.day', 'preset.research.month'])
  assert.deepEqual(idsFor('other'), [])
})

test('what goes into the log are plain budgets: a reader of the log knows no presets', () => {
  const policy = parse('  - { preset: research, agents: "*" }')
  assert.ok(!('presets' in policy))
  assert.deepEqual(resolvedPolicySchema.parse(JSON.parse(JSON.stringify(policy))), policy)
})

test('an unknown preset, one twice, and a budget that takes the name of one are told with their places', () => {
  const text = `version: 1
budgets:
  - { id: preset.research.day, window: day }
presets:
  - { preset: poetry, agents: x }
  - { preset: research, agents: x, dailyTokens: 0 }`
  const problems = problemsOf(text)
  assert.match(problems.join('\n'), /5 presets\[0\]\.preset: use one of customer-support, research/)
  assert.match(problems.join('\n'), /6 presets\[1\]\.dailyTokens/)
  assert.match(
    problemsOf('version: 1\nbudgets: [{ id: preset.a, window: day }]').join(),
    /change its entry in "presets"/,
  )
  const twice = 'version: 1\npresets:\n  - &a { preset: research, agents: x }\n  - *a'
  assert.match(problemsOf(twice).join(), /presets\[1\]\.preset: .*put its agents together/)
})
