import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parsePolicy, PolicyError, resolvedPolicySchema } from '@tokenfuse/protocol'
import fc from 'fast-check'
import { FUZZ_MS } from '../../support/fuzz.ts'

/** `line:column field` of each problem. */
function placesOf(text: string): string[] {
  return problemsOf(text).map(({ line, column, field }) => `${line}:${column} ${field}`.trim())
}

function problemsOf(text: string) {
  try {
    parsePolicy(text, 'tokenfuse.yaml')
  } catch (error) {
    assert.ok(error instanceof PolicyError)
    assert.equal(error.code, 'policy_invalid')
    return error.problems
  }
  assert.fail('the policy was accepted')
}

test('a whole policy is read with its defaults', () => {
  const policy = parsePolicy(
    `version: 1
timezone: Europe/Berlin
budgets:
  - id: loop
    match: { agent: [writer, 'support-*'], tag.team: red }
    per: [agent, task]
    limit: { usd: 2.50 }
    window: lifetime
    grace: 15m
`,
    'tokenfuse.yaml',
  )
  assert.equal(policy.timezone, 'Europe/Berlin')
  assert.deepEqual(policy.prices, [])
  assert.deepEqual(policy.budgets, [
    {
      id: 'loop',
      match: { agent: ['writer', 'support-*'], 'tag.team': 'red' },
      per: ['agent', 'task'],
      limit: { usd: '2.5' },
      window: 'lifetime',
      mode: 'hard',
      warnAt: 0.8,
      stale: 'degrade',
      bestEffort: false,
      grace: 900_000,
      uncappable: 'run',
      maxWait: 60_000,
      settleAfter: 900_000,
    },
  ])
})

test('every problem is told at once, each with its line, column and field', () => {
  const text = `version: 2
timezone: Mars/Base
colour: red
budgets:
  - id: Big Budget
    limit: { usd: 1, tokens: 3 }
    window: year
    grace: 15
    per: [agent, foo]
    match: { agnt: x }
  - 5
prices:
  - model: x
    inputUsdPerMillion: -1
    outputUsdPerMillion: 1 dollar
`
  // In the order of the file.
  assert.deepEqual(placesOf(text), [
    '1:1 version',
    '2:1 timezone',
    '3:1 colour',
    '5:5 budgets[0].id',
    '6:5 budgets[0].limit',
    '7:5 budgets[0].window',
    '8:5 budgets[0].grace',
    '9:18 budgets[0].per[1]',
    '10:14 budgets[0].match.agnt',
    '11:5 budgets[1]',
    '14:5 prices[0].inputUsdPerMillion',
    '15:5 prices[0].outputUsdPerMillion',
  ])
})

test('a problem says what to write instead', () => {
  const rows: [text: string, message: RegExp][] = [
    ['budgets: []', /write "version: 1"/],
    ['version: 1\ntimezone: Mars/Base', /IANA name such as Europe\/Berlin/],
    ['version: 1\nbudgets: [{ id: a, window: day, match: { agnt: x } }]', /use agent, task/],
    ['version: 1\nbudgets: [{ id: a, window: day, grace: 15 }]', /such as 15m/],
    ['version: 1\nbudgets: [{ id: a, window: day, limit: 5usd }]', /such as .* \{ usd: 2\.50 \}/],
    ['version: 1\nbudgets: [{ id: a, window: day, limit: { tokens: 1.5 } }]', /such as 500000/],
    ['version: 1\nbudgets: [{ id: a, window: day, limit: { tokens: -1 } }]', /more than 0/],
    ['version: 1\nbudgets: [{ id: a, window: day, limit: { usd: [] } }]', /such as 2\.50/],
    ['version: 1\nbudgets: [{ id: a, window: day, match: { agent: 5 } }]', /a glob such as/],
    ['version: 1\nbudgets: [{ id: a, window: day, match: { agent: [] } }]', /list is empty/],
    ['version: 1\nbudgets: [{ id: a, window: day, per: agent }]', /a list, not a text/],
    ['version: 1\nbudgets: [{ id: a, window: day, mode: firm }]', /use hard, soft, shadow/],
    ['version: 1\nbudgets: [{ window: day }]', /^it is missing$/],
    ['version: 1\nbudgets: [{ id: a, window: day, warnAt: 80 }]', /at most 1$/],
    ['- 1', /fields with values, not a list/],
    ['version: 1\nbudgets: [{ id: a, window: day, grace: 15 min }]', /such as 15m/],
    ['version: 1\nbudgets: [{ id: a, window: day, limit: { usd: 1e-13 } }]', /such as 2\.50/],
    ['version: 1\nbudgets: [{ id: a, window: day, limit: {} }]', /exactly one of tokens/],
    ['version: 1\nbudgets: [{ id: a, window: year }]', /such as rolling 24h/],
    ['version: 1\nbudgets: [{ id: a, window: rolling 0h }]', /such as rolling 24h/],
    ['version: 1\nbudgets: [{ id: a, window: rolling 401d }]', /at most 400d/],
    [
      'version: 1\nbudgets: [{ id: a, window: rolling 1h, limit: { steps: 3 } }]',
      /limit calls, or use another window/,
    ],
  ]
  for (const [text, message] of rows) assert.match(problemsOf(text)[0]?.message ?? '', message)
})

test('a hard budget that would let calls run unseen is an error unless marked best effort', () => {
  const budget = (more: string) =>
    `version: 1\nbudgets:\n  - { id: a, window: day, limit: { usd: 1 }, stale: allow${more} }\n`
  assert.deepEqual(placesOf(budget('')), ['3:46 budgets[0].stale'])
  assert.deepEqual(placesOf(budget(', mode: hard')), ['3:46 budgets[0].stale'])
  assert.ok(parsePolicy(budget(', bestEffort: true'), 'x'))
  assert.ok(parsePolicy(budget(', mode: soft'), 'x'))
})

test('two budgets of one name are an error at the second', () => {
  const text = 'version: 1\nbudgets:\n  - { id: a, window: day }\n  - { id: a, window: hour }\n'
  assert.deepEqual(placesOf(text), ['4:7 budgets[1].id'])
})

test('the names that runs give their budgets are not for a file', () => {
  const text = 'version: 1\nbudgets:\n  - { id: run.a, window: day }\n'
  assert.deepEqual(placesOf(text), ['3:7 budgets[0].id'])
})

test('a small amount of USD stays exact however it is written', () => {
  for (const usd of ['0.0000001', '1e-7', "'0.0000001'"]) {
    const text = `version: 1\nbudgets: [{ id: a, window: day, limit: { usd: ${usd} } }]`
    assert.equal(parsePolicy(text, 'x').budgets[0]?.limit?.usd, '0.0000001')
  }
})

test('what is no YAML, or is meant to exhaust its reader, is a problem with a place', () => {
  const rows: [text: string, place: string][] = [
    ['version: 1\nbudgets: [', '2:11'],
    ['version: 1\nversion: 1', '2:1'],
    ['version: 1\n---\nversion: 1', '2:1'],
    [`a: &a [1]\nb: &b [${'*a,'.repeat(20)}]\nc: [${'*b,'.repeat(20)}]`, '1:1'],
  ]
  for (const [text, place] of rows) assert.equal(placesOf(text)[0], place, text)
  const deep = problemsOf('['.repeat(20_000))
  assert.ok(deep.length <= 100)
})

test('a file that is far too long is refused before it is read as YAML', () => {
  const started = performance.now()
  const [problem] = problemsOf(`version: 1\n${'# long\n'.repeat(1_600_000)}`)
  assert.match(problem?.message ?? '', /11200011 characters long; 1000000 are the most/)
  assert.ok(performance.now() - started < 500)
})

test('a policy kept in the log reads back as the policy that was written', () => {
  const policy = parsePolicy(
    'version: 1\nbudgets: [{ id: a, window: day, limit: { usd: 0.1 }, maxWait: 2m }]\nprices: [{ model: x, inputUsdPerMillion: 1e-7, outputUsdPerMillion: 2 }]',
    'x',
  )
  assert.deepEqual(resolvedPolicySchema.parse(JSON.parse(JSON.stringify(policy))), policy)
})

test('whatever the text, the answer is a policy or its problems', () => {
  const word = fc.constantFrom(
    ...['version', 'budgets', 'prices', 'id', 'limit', 'usd', 'per', 'match', 'window', 'day'],
    ...[': ', ' 1', '\n', '\n  ', '\n  - ', '[', ']', '{', '}', ',', '&a ', '*a', '!!', '|', '>'],
    ...['"', "'", '#', '-', '?', '<<', '__proto__', 'constructor', '~', '\t', '\uFEFF'],
  )
  const text = fc.oneof(
    fc
      .array(fc.oneof(word, fc.string({ unit: 'binary', maxLength: 3 })))
      .map((words) => words.join('')),
    fc.string({ unit: 'binary' }),
  )
  fc.assert(
    fc.property(text, (yaml) => {
      try {
        parsePolicy(yaml, 'tokenfuse.yaml')
      } catch (error) {
        assert.ok(error instanceof PolicyError, String(error))
        assert.ok(error.problems.length > 0)
        for (const { line, column } of error.problems) assert.ok(line >= 1 && column >= 1)
      }
    }),
    { interruptAfterTimeLimit: FUZZ_MS, numRuns: Number.MAX_SAFE_INTEGER },
  )
})
