import { type Condition, figuresOf } from './condition.ts'
import { RULE_VARIABLES, type RuleFigure, type RuleUnit } from './variables.ts'

/** What a rule knows when it is told of. */
export type RuleFacts = {
  readonly agent: string | null
  readonly task: string | null
  /** By variable: tokens and calls are whole, USD are not. */
  readonly figures: Readonly<Record<string, number>>
}

const PLACEHOLDER = /\{([^{}]*)\}/g
/** Placeholders beside the names of variables, which stand for themselves. */
const SHORT = ['used', 'limit', 'overshoot', 'name', 'hourly_used', 'tokens_per_task'] as const
type Short = (typeof SHORT)[number]

/** Placeholders of a message that its rule cannot fill, with the character each begins at. */
export function messageProblems(
  message: string,
  condition: Condition,
): { readonly message: string; readonly at: number }[] {
  return [...message.matchAll(PLACEHOLDER)].flatMap(({ index, 1: name = '' }) => {
    const why = missing(name, condition)
    return why === null ? [] : [{ message: why, at: index }]
  })
}

function missing(name: string, condition: Condition): string | null {
  if (isShort(name)) return missingShort(name, condition)
  if (!RULE_VARIABLES.has(name)) {
    return `there is no placeholder {${name}}: use ${SHORT.map((each) => `{${each}}`).join(' ')}, {agent}, {task}, or a variable of the condition`
  }
  if (name === 'agent') return missingShort('name', condition)
  if (name === 'task') {
    return condition.level === 'task' ? null : '{task} needs a condition over variables of tasks'
  }
  const isNamed = condition.variables.some((variable) => variable.name === name)
  return isNamed ? null : `{${name}} is not in the condition, so it is not known here`
}

function missingShort(name: Short, condition: Condition): string | null {
  if (name === 'name') {
    const isKnown = condition.level !== 'all'
    return isKnown ? null : `{${name}} needs a condition over variables of agents or tasks`
  }
  const needed = name === 'overshoot' ? (['used', 'limit'] as const) : [name]
  const isKnown = needed.every((each) => shortFigure(each, condition) !== undefined)
  return isKnown ? null : `{${name}} needs a condition with ${NEEDS[name]}`
}

const NEEDS = {
  used: 'something that is used',
  limit: 'a limit',
  overshoot: 'something that is used or projected, and a limit',
  hourly_used: 'something that is used in an hour',
  tokens_per_task: 'agent_tokens_per_task',
} as const satisfies Record<Exclude<Short, 'name'>, string>

const isShort = (name: string): name is Short => (SHORT as readonly string[]).includes(name)

/** The variable that a short placeholder stands for. */
function shortFigure(
  name: Exclude<Short, 'name' | 'overshoot'>,
  condition: Condition,
): RuleFigure | undefined {
  const used = [...figuresOf(condition, 'used'), ...figuresOf(condition, 'projected')]
  switch (name) {
    case 'used':
      return used[0]
    case 'limit':
      return figuresOf(condition, 'limit')[0]
    case 'hourly_used':
      return used.find(({ window }) => window === 'hour')
    case 'tokens_per_task':
      return used.find((figure) => figure.name === 'agent_tokens_per_task')
  }
}

/** What is used, and the limit that it is held against, as far as the condition names them. */
export function mainFigures(condition: Condition): {
  readonly used: RuleFigure | null
  readonly limit: RuleFigure | null
} {
  return {
    used: shortFigure('used', condition) ?? null,
    limit: shortFigure('limit', condition) ?? null,
  }
}

/** The message with its placeholders filled; those that cannot be stay as they are. */
export function fillMessage(message: string, condition: Condition, facts: RuleFacts): string {
  return message.replace(
    PLACEHOLDER,
    (whole, name: string) => fill(name, condition, facts) ?? whole,
  )
}

function fill(name: string, condition: Condition, facts: RuleFacts): string | null {
  if (name === 'name' || name === 'agent') return facts.agent
  if (name === 'task') return facts.task
  if (isShort(name)) {
    if (name === 'overshoot') return overshoot(condition, facts)
    const figure = name === 'name' ? null : shortFigure(name, condition)
    return figure ? textOf(figure, facts) : null
  }
  const variable = RULE_VARIABLES.get(name)
  return variable && variable.kind !== 'name' ? textOf(variable, facts) : null
}

/** By how many percent what is used, or comes of it, is over the limit; 0 where it is not. */
function overshoot(condition: Condition, { figures }: RuleFacts): string | null {
  const { used, limit } = mainFigures(condition)
  const amount = used && figures[used.name]
  const bound = limit && figures[limit.name]
  if (typeof amount !== 'number' || typeof bound !== 'number' || bound <= 0) return null
  return String(Math.max(0, Math.round((amount / bound - 1) * 100)))
}

function textOf({ name, unit }: RuleFigure, { figures }: RuleFacts): string | null {
  const value = figures[name]
  return value === undefined ? null : figureText(value, unit)
}

/** A figure for people: whole tokens and calls, USD to the hundredth of a cent. */
export function figureText(value: number, unit: RuleUnit): string {
  if (unit !== 'usd') return String(Math.round(value))
  const [whole = '0', fraction = ''] = value.toFixed(4).split('.')
  return `$${whole}.${fraction.slice(0, 2)}${fraction.slice(2).replace(/0+$/, '')}`
}
