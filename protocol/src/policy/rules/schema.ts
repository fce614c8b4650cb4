import { z } from 'zod'
import { compileCondition, type Condition, isConditionProblem } from './condition.ts'
import { messageProblems } from './message.ts'
import { RULE_LEVELS, type RuleLevel } from './variables.ts'

export const MAX_RULES = 50

export const SEVERITIES = ['P1', 'P2', 'P3', 'P4'] as const
export type Severity = (typeof SEVERITIES)[number]

/** What a rule does as long as its condition holds, and the level it needs to know what to do it to. */
export const RULE_ACTIONS = {
  warn: { level: 'all', help: 'a warning for what the rule is evaluated for' },
  notify_team: { level: 'all', help: 'a warning; it is told like every rule, and stops nothing' },
  investigate_agent: { level: 'agent', help: 'a report on the agent, and a warning' },
  pause: { level: 'all', help: 'refuses the calls of what the rule is evaluated for' },
  block: { level: 'all', help: 'refuses the calls of what the rule is evaluated for' },
  pause_all_noncritical_agents: {
    level: 'all',
    help: 'refuses every call whose criticality is not critical',
  },
  kill_agent_task: { level: 'task', help: 'refuses every further call of the task' },
} as const satisfies Record<string, { readonly level: RuleLevel; readonly help: string }>
export type RuleAction = keyof typeof RULE_ACTIONS

const ACTION_NAMES = Object.keys(RULE_ACTIONS) as [RuleAction, ...RuleAction[]]

const fields = {
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/, 'use letters, digits, dashes and underscores')
    .refine((name) => name !== 'spike', 'the detectors use this name for their own decisions'),
  description: z.string().optional(),
  condition: z.string().min(1).describe('in CEL, over the variables of docs/rule-variables.md'),
  action: z.enum(ACTION_NAMES, {
    error: ({ input }) =>
      `there is no action ${JSON.stringify(input)}: use ${ACTION_NAMES.join(', ')}`,
  }),
  message: z.string().min(1).max(1000).describe('with placeholders such as {used} and {limit}'),
}
const severity = z.enum(SEVERITIES, { error: `use ${SEVERITIES.join(', ')}, P1 being the worst` })

/** Also where something else is wrong already, so that all is told at once. */
const ALWAYS = { when: () => true }

/** A rule as the log keeps it. */
export const ruleSchema = z
  .strictObject({ ...fields, severity })
  .superRefine(checkRule, ALWAYS)
  .meta({ id: 'Rule' })
export type Rule = z.output<typeof ruleSchema>

const list = z.array(z.preprocess(named, ruleSchema)).max(MAX_RULES).superRefine(checkNames, ALWAYS)

/** `budget-alerts.yaml` as a person writes it. */
export const rulesFileSchema = z
  .strictObject({
    version: z.literal(1, { error: 'write "version: 1", the version of this format' }).default(1),
    rules: list.optional(),
    alerts: list.optional().describe('the same as rules'),
  })
  .refine(({ rules, alerts }) => !rules || !alerts, {
    error: 'write rules or alerts, which are the same, not both',
    path: ['alerts'],
  })
  // A file that an editor has just emptied must not let go of what its rules hold.
  .refine(({ rules, alerts }) => rules || alerts, {
    error: 'write "rules:" with a list of rules; "rules: []" is none',
    path: ['rules'],
  })
  .meta({ id: 'Rules', title: 'budget-alerts.yaml' })

/** A rule's `priority` is its severity. */
function named(rule: unknown): unknown {
  if (typeof rule !== 'object' || rule === null || !('priority' in rule)) return rule
  if ('severity' in rule) return rule
  const { priority, ...others } = rule
  return { ...others, severity: priority }
}

type Context = z.core.$RefinementCtx

type Fields = Readonly<Record<'condition' | 'action' | 'message', unknown>>

/** What the fields say of each other, as far as each is what it should be. */
function checkRule(rule: Fields, context: Context): void {
  const { condition: text, action, message } = rule
  if (typeof text !== 'string') return
  const condition = compileCondition(text)
  if (isConditionProblem(condition)) {
    report(context, 'condition', condition)
    return
  }
  if (isAction(action)) checkAction(action, condition, context)
  if (typeof message !== 'string') return
  for (const problem of messageProblems(message, condition)) report(context, 'message', problem)
}

function checkAction(action: RuleAction, { level }: Condition, context: Context): void {
  const needed = RULE_ACTIONS[action].level
  if (RULE_LEVELS.indexOf(level) >= RULE_LEVELS.indexOf(needed)) return
  const message = `${action} needs a condition over variables of ${needed === 'task' ? 'tasks' : 'agents or tasks'}, to know whom it is for`
  report(context, 'action', { message, at: 0 })
}

const isAction = (name: unknown): name is RuleAction =>
  typeof name === 'string' && Object.hasOwn(RULE_ACTIONS, name)

/** @param at at which character of the field's text */
function report(
  context: Context,
  field: string,
  { message, at }: { readonly message: string; readonly at: number },
): void {
  context.addIssue({ code: 'custom', path: [field], message, params: { at } })
}

function checkNames(rules: unknown, context: Context): void {
  if (!Array.isArray(rules)) return
  const seen = new Set<unknown>()
  for (const [index, rule] of rules.entries()) {
    const name: unknown = typeof rule === 'object' && rule !== null && Reflect.get(rule, 'name')
    if (typeof name !== 'string') continue
    if (seen.has(name)) {
      const message = `a second rule is called "${name}"; names are unique`
      context.addIssue({ code: 'custom', path: [index, 'name'], message })
    }
    seen.add(name)
  }
}
