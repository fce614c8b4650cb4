import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseRules, PolicyError } from '@tokenfuse/protocol'

const DEFAULT_FILE = join(import.meta.dirname, '../../../../processor/budget-alerts.yaml')

/** `line:column field: message` of each problem. */
function problems(text: string): string[] {
  try {
    parseRules(text, 'budget-alerts.yaml')
    return []
  } catch (error) {
    assert.ok(error instanceof PolicyError, String(error))
    return error.problems.map(
      ({ line, column, field, message }) => `${line}:${column} ${field}: ${message}`,
    )
  }
}

/** A file of one rule, with one of its fields written differently. */
function rule(field: string, value: string): string {
  const fields: Record<string, string> = {
    name: 'one',
    severity: 'P1',
    condition: 'daily_tokens > daily_limit',
    action: 'notify_team',
    message: 'told',
  }
  fields[field] = value
  const lines = Object.entries(fields).map(([name, text]) => `${name}: ${text}`)
  return `rules:\n  - ${lines.join('\n    ')}\n`
}

test('the four rules that are shipped say what they are known to say', () => {
  const rules = parseRules(readFileSync(DEFAULT_FILE, 'utf8'), 'budget-alerts.yaml')
  assert.deepEqual(
    rules.map(({ name, severity, condition, action, message }) => [
      name,
      severity,
      condition,
      action,
      message,
    ]),
    [
      [
        'daily_budget_exceeded',
        'P1',
        'daily_tokens > daily_limit',
        'pause_all_noncritical_agents',
        'Daily token budget exceeded: {used}/{limit}',
      ],
      [
        'agent_spike',
        'P2',
        'agent_hourly_tokens > agent_hourly_limit * 2',
        'investigate_agent',
        'Agent {name} token usage spiked: {hourly_used}/hr',
      ],
      [
        'runaway_detected',
        'P1',
        'agent_tokens_per_task > task_limit * 3',
        'kill_agent_task',
        'Agent {name} may be looping: {tokens_per_task} tokens/task',
      ],
      [
        'budget_forecast',
        'P3',
        'projected_daily_tokens > daily_limit * 0.9',
        'notify_team',
        'On track to exceed daily budget by {overshoot}%',
      ],
    ],
  )
})

test('a list called alerts, and a priority, say the same as rules and severity', () => {
  const text = rule('name', 'one').replace('rules:', 'alerts:').replace('severity:', 'priority:')
  assert.deepEqual(parseRules(text, 'f'), parseRules(rule('name', 'one'), 'f'))
})

test('what is wrong in a rule is told with the place where it stands', () => {
  const cases: [field: string, value: string, expected: RegExp][] = [
    // "    condition: " is 15 characters long, so the text begins at column 16.
    [
      'condition',
      'daily_tokns > daily_limit',
      /^4:16 .*no variable "daily_tokns"; is "daily_tokens"/,
    ],
    ['condition', '"daily_limit < daily_tokns"', /^4:31 .*no variable "daily_tokns"/],
    ['condition', 'daily_tokens > "many"', /^4:16 .*double > string/],
    ['condition', 'daily_tokens + 1', /^4:16 .*of type double/],
    ['condition', 'daily_tokens >', /^4:30 .*[Uu]nexpected/],
    ['condition', 'daily_limit > 5', /^4:16 .*nothing that is used/],
    ['condition', 'daily_tokens > 1 / 0', /^4:\d+ .*division by zero/],
    ['condition', '"[1, 2].exists(x, x > daily_tokens)"', /^4:\d+ .*do not have exists\(\)/],
    ['condition', '"agent.matches(\'a+\') && daily_tokens > 1"', /^4:\d+ .*do not have matches/],
    ['condition', 'size([1]) > daily_tokens', /^4:\d+ .*do not have size\(\)/],
    ['action', 'explode', /^5:5 rules\[0\]\.action: there is no action "explode": use warn/],
    [
      'action',
      'kill_agent_task',
      /^5:13 .*kill_agent_task needs a condition over variables of tasks/,
    ],
    ['message', 'over {much}', /^6:19 .*no placeholder \{much\}/],
    ['message', '"{name} is over"', /^6:15 .*\{name\} needs a condition over variables of agents/],
    ['message', '"{hourly_used}"', /^6:15 .*used in an hour/],
    ['severity', 'P9', /^3:5 .*use P1, P2, P3, P4/],
    ['colour', 'red', /^7:5 .*there is no such field/],
    ['name', 'two words', /^2:5 .*use letters/],
  ]
  for (const [field, value, expected] of cases) {
    const [first = 'no problem', ...others] = problems(rule(field, value))
    assert.match(first, expected, `${field}: ${value}`)
    assert.deepEqual(others, [], `${field}: ${value}`)
  }
})

test('all problems of a file are told at once', () => {
  const text = `rules:
  - { name: a, severity: P1, condition: nothing > 1, action: warn, message: m }
  - { name: a, severity: P2, condition: daily_tokens > 1, action: sing, message: "{task}" }
unknown: 1
`
  const found = problems(text)
  assert.equal(found.length, 5, found.join('\n'))
  assert.match(found.join('\n'), /no variable "nothing"/)
  assert.match(found.join('\n'), /no action "sing"/)
  assert.match(found.join('\n'), /\{task\} needs/)
  assert.match(found.join('\n'), /a second rule is called "a"/)
  assert.match(found.join('\n'), /4:1 unknown: there is no such field/)
})

test('a file that was emptied is an error and no wish to have no rules', () => {
  for (const text of ['', '# later', 'version: 1', '{}', 'rules:']) {
    assert.equal(problems(text).length, 1, text)
  }
  assert.deepEqual(problems('rules: []'), [])
})

test('a condition that would take long to evaluate is refused when it is read', () => {
  const long = Array.from({ length: 40 }, () => 'daily_usd > 1').join(' && ')
  assert.match(problems(rule('condition', long))[0] ?? '', /nodes/i)
  const deep = `daily_tokens > 1${' ? true : (false'.repeat(40)}${')'.repeat(40)}`
  assert.match(problems(rule('condition', `'${deep}'`))[0] ?? '', /depth|nodes/i)
  assert.match(problems(rule('condition', `daily_tokens > ${'1'.repeat(1000)}`))[0] ?? '', /1000/)
})
