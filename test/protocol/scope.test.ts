import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Dimension,
  DIMENSIONS,
  type DimensionValues,
  dimensionValue,
  globMatches,
  isDimension,
  matchesGlobs,
  matchesScope,
  parseScopeKey,
  scopeKey,
} from '@tokenfuse/protocol'
import fc from 'fast-check'

const call: DimensionValues = {
  tenant: 'default',
  agent: 'support-eu',
  task: 't-17',
  taskType: 'answer',
  step: '3',
  user: 'u-9',
  session: 's-4',
  model: 'gpt-4o-mini',
  provider: 'openai',
  service: 'api',
  tags: { team: 'red' },
}

test('a glob fits a text exactly where the same regular expression does', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '\n'), maxLength: 12 })
  const glob = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?'), maxLength: 8 })
  fc.assert(
    fc.property(glob, text, (pattern, value) => {
      const escaped = pattern.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.')
      assert.equal(globMatches(pattern, value), new RegExp(`^${escaped}$`, 's').test(value))
    }),
    { numRuns: 2000 },
  )
})

test('a glob of many stars over a long text takes no long time', () => {
  const startMs = performance.now()
  assert.equal(globMatches('*a'.repeat(50) + 'b', 'a'.repeat(100_000)), false)
  assert.ok(performance.now() - startMs < 1000)
})

test('a call fits where each dimension named fits one of its globs', () => {
  assert.ok(matchesScope({}, call))
  assert.ok(matchesScope({ agent: 'support-*', model: ['claude-*', 'gpt-4o*'] }, call))
  assert.ok(matchesScope({ 'tag.team': 'red' }, call))
  assert.ok(!matchesScope({ agent: 'support-*', model: 'claude-*' }, call))
  assert.ok(!matchesScope({ agent: 'support' }, call))
  assert.ok(!matchesScope({ 'tag.team': 'blue' }, call))
  assert.ok(matchesScope({ 'tag.region': 'unknown' }, call), 'a missing tag is unknown')
})

test('a tag by the name of a built-in property is a tag like any other', () => {
  for (const name of ['constructor', '__proto__', 'toString']) {
    assert.equal(dimensionValue(call, `tag.${name}`), 'unknown')
    const tags = Object.fromEntries([[name, 'x']])
    assert.equal(dimensionValue({ ...call, tags }, `tag.${name}`), 'x')
  }
})

test('a scope is named by its dimensions in the order of the budget', () => {
  assert.equal(scopeKey([], call), '*')
  assert.equal(scopeKey(['agent'], call), 'agent=support-eu')
  assert.equal(scopeKey(['task', 'agent'], call), 'task=t-17,agent=support-eu')
  assert.equal(scopeKey(['task'], { ...call, task: 'a=b,c|d%' }), 'task=a%3Db%2Cc%7Cd%25')
})

test('a scope name taken apart gives back its dimensions and values, whatever is in them', () => {
  const hostile = fc.oneof(
    fc.string({ unit: fc.constantFrom('%', ',', '=', '|', '*', '2', 'C', 'a'), maxLength: 10 }),
    fc.string({ unit: 'binary', maxLength: 10 }),
  )
  const dimension: fc.Arbitrary<Dimension> = fc.oneof(
    fc.constantFrom(...DIMENSIONS),
    hostile.filter((name) => name !== '').map((name) => `tag.${name}` as const),
  )
  const per = fc.uniqueArray(dimension, { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(per, fc.infiniteStream(hostile), (dimensions, values) => {
      const pairs = dimensions.map((name) => [name, String(values.next().value)] as const)
      const named = Object.fromEntries(pairs.filter(([name]) => !name.startsWith('tag.')))
      const tags = Object.fromEntries(
        pairs
          .filter(([name]) => name.startsWith('tag.'))
          .map(([name, value]) => [name.slice('tag.'.length), value]),
      )
      const key = scopeKey(dimensions, { ...call, ...named, tags })
      assert.deepEqual(parseScopeKey(key), pairs)
    }),
    { numRuns: 300 },
  )
})

test('a scope name from outside never makes its reader fail', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      parseScopeKey(text)
      parseScopeKey(`%${text}`)
    }),
  )
  assert.deepEqual(parseScopeKey('*'), [])
})

test('dimensions are the named ones and any tag', () => {
  for (const name of [...DIMENSIONS, 'tag.team']) assert.ok(isDimension(name), name)
  for (const name of ['', 'Agent', 'tag.', 'tag', 'team', 'constructor']) {
    assert.ok(!isDimension(name), name)
  }
})

test('a glob that begins with ! takes out what it fits, wherever it stands', () => {
  const rows: [globs: string[], name: string, fits: boolean][] = [
    [['a*', '!ab'], 'abc', true],
    [['a*', '!ab'], 'ab', false],
    [['!ab', 'a*'], 'ab', false],
    [['!a*'], 'b', true],
    [['!a*'], 'ab', false],
    [['x', '!y'], 'z', false],
    [[], 'a', true],
  ]
  for (const [globs, name, fits] of rows)
    assert.equal(matchesGlobs(globs, name), fits, globs.join())
})
