import { type ASTNode, Environment, type ErrorLocation } from '@marcbachmann/cel-js'
import {
  RULE_LEVELS,
  RULE_VARIABLES,
  type RuleFigure,
  type RuleLevel,
  type RuleVariable,
} from './variables.ts'

const MAX_LENGTH = 1000
const LIMITS = {
  maxAstNodes: 100,
  maxDepth: 16,
  maxListElements: 50,
  maxMapEntries: 0,
  maxCallArguments: 8,
}

/** Nothing that loops, matches patterns, or takes longer than it is long. */
const OPERATORS: ReadonlySet<string> = new Set([
  'value',
  'id',
  'list',
  'in',
  '?:',
  '||',
  '&&',
  '!_',
  '-_',
  ...['==', '!=', '<', '<=', '>', '>=', '+', '-', '*', '/'],
])
const METHODS: ReadonlySet<string> = new Set(['startsWith', 'endsWith', 'contains'])

/** Values of the variables of a condition; figures are numbers, names are texts. */
export type ConditionValues = Readonly<Record<string, number | string>>

/** A condition of a rule, ready to be asked. */
export type Condition = {
  readonly level: RuleLevel
  /** Those that it names, in the order in which they stand. */
  readonly variables: readonly RuleVariable[]
  /** The same values give the same answer everywhere: it is made of comparisons and plain arithmetic. */
  holds(values: ConditionValues): boolean
}

/** Why a text is no condition, and at which of its characters. */
export type ConditionProblem = { readonly message: string; readonly at: number }

/**
 * Reads a condition in CEL (https://cel.dev) over `RULE_VARIABLES`. All figures are numbers, so that whole numbers and
 * fractions mix; USD are rounded as numbers are.
 */
export function compileCondition(text: string): Condition | ConditionProblem {
  if (text.length > MAX_LENGTH) {
    return { message: `a condition has at most ${MAX_LENGTH} characters`, at: MAX_LENGTH }
  }
  try {
    return compile(text)
  } catch (error) {
    return problemOf(error, text)
  }
}

export function isConditionProblem(
  result: Condition | ConditionProblem,
): result is ConditionProblem {
  return 'message' in result
}

function compile(text: string): Condition | ConditionProblem {
  const program = ENVIRONMENT.parse(text)
  const found: RuleVariable[] = []
  const forbidden = walk(program.ast, found)
  if (forbidden) return forbidden
  const { valid, type, error } = program.check()
  if (!valid) return problemOf(error, text)
  if (type !== 'bool') {
    return { message: `a condition says yes or no, and this is of type ${type}`, at: 0 }
  }
  const variables = [...new Set(found)]
  if (!variables.some(changes)) {
    return { message: 'it asks for nothing that is used: name one of the variables', at: 0 }
  }
  // What only concerns numbers written down, such as 1 / 0, is found now.
  program(Object.fromEntries(variables.map(({ kind, name }) => [name, kind === 'name' ? '' : 1])))
  const depths = variables.map(({ level }) => RULE_LEVELS.indexOf(level))
  return {
    level: RULE_LEVELS[Math.max(...depths)] ?? 'all',
    variables,
    holds: (values) => program(values) === true,
  }
}

const changes = ({ kind }: RuleVariable) => kind === 'used' || kind === 'projected'

/** Collects the variables of a node and what is below it. @returns the first thing that conditions may not use */
function walk(node: ASTNode, found: RuleVariable[]): ConditionProblem | null {
  if (node.op === 'rcall') {
    const [method, receiver, parameters] = node.args
    if (!METHODS.has(method)) return refused(`${method}()`, node)
    return walkAll([receiver, ...parameters], found)
  }
  if (!OPERATORS.has(node.op)) return refused(nameOf(node), node)
  if (node.op === 'id') {
    const variable = RULE_VARIABLES.get(node.args)
    if (!variable) {
      return { message: `there is no variable "${node.args}"${hint(node.args)}`, at: node.start }
    }
    found.push(variable)
    return null
  }
  if (node.op === 'value') return null
  const operands = Array.isArray(node.args) ? (node.args as unknown[]) : [node.args]
  return walkAll(operands as ASTNode[], found)
}

function walkAll(nodes: readonly ASTNode[], found: RuleVariable[]): ConditionProblem | null {
  for (const node of nodes) {
    const problem = walk(node, found)
    if (problem) return problem
  }
  return null
}

function refused(what: string, { start }: ASTNode): ConditionProblem {
  const fix = 'compare variables with + - * / < > == && || ! in and ?:'
  return { message: `conditions do not have ${what}: ${fix}`, at: start }
}

function nameOf(node: ASTNode): string {
  return node.op === 'call' ? `${node.args[0]}()` : `"${node.op}"`
}

/** The variable that was most likely meant. */
function hint(name: string): string {
  let best: string | null = null
  let bestDistance = 4
  for (const candidate of RULE_VARIABLES.keys()) {
    const distance = editDistance(name, candidate, bestDistance)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best === null ? '; docs/rule-variables.md lists them' : `; is "${best}" meant?`
}

/** Letters to add, drop or change to make one text of another. */
function editDistance(a: string, b: string, enough: number): number {
  if (Math.abs(a.length - b.length) >= enough) return enough
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? enough
}

function problemOf(error: unknown, text: string): ConditionProblem {
  if (!(error instanceof Error)) return { message: String(error), at: 0 }
  const { summary, range } = error as Error & { summary?: string; range?: ErrorLocation['range'] }
  return { message: summary ?? error.message, at: Math.min(range?.start ?? 0, text.length) }
}

/** The figures of a condition of one kind, in the order in which they stand. */
export function figuresOf(
  { variables }: Condition,
  kind: RuleFigure['kind'],
): readonly RuleFigure[] {
  return variables.filter((variable): variable is RuleFigure => variable.kind === kind)
}

const ENVIRONMENT = createEnvironment()

function createEnvironment(): Environment {
  const environment = new Environment({ limits: LIMITS })
  for (const { kind, name } of RULE_VARIABLES.values()) {
    environment.registerVariable(name, kind === 'name' ? 'string' : 'double')
  }
  // Whole numbers written down are of another type than figures; people do not care.
  const mixed: Readonly<Record<string, (a: number, b: number) => number>> = {
    '+': (a, b) => a + b,
    '-': (a, b) => a - b,
    '*': (a, b) => a * b,
    '/': (a, b) => a / b,
  }
  for (const [operator, work] of Object.entries(mixed)) {
    const handler = (a: number | bigint, b: number | bigint) => work(Number(a), Number(b))
    environment.registerOperator(`int ${operator} double: double`, handler)
    environment.registerOperator(`double ${operator} int: double`, handler)
  }
  return environment
}
