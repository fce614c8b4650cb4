import {
  type Document,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
} from 'yaml'
import type { z } from 'zod'
import { TokenfuseError } from '../errors.ts'
import { plainIssue } from '../plain-issue.ts'
import { type Policy, policySchema } from './schema.ts'

/** One thing that is wrong in a policy file. Lines and columns count from 1. */
export type PolicyProblem = {
  readonly file: string
  readonly line: number
  readonly column: number
  /** Such as `budgets[2].limit`; empty for the file as a whole. */
  readonly field: string
  readonly message: string
}

/** More than anyone reads at once; a file that is no policy at all can have thousands. */
const MAX_PROBLEMS = 100
/** A thousand budgets and prices have room in it; reading it takes the governor's process less than a second. */
const MAX_CHARACTERS = 1_000_000

export class PolicyError extends TokenfuseError {
  readonly problems: readonly PolicyProblem[]

  constructor(found: readonly PolicyProblem[]) {
    const problems = found.slice(0, MAX_PROBLEMS)
    const lines = problems.map(
      ({ file, line, column, field, message }) =>
        `${file}:${line}:${column}${field === '' ? '' : ` ${field}`}: ${message}`,
    )
    super('policy_invalid', lines.join('\n'), {
      fix: 'Correct these places; until then the policy that was in force before stays.',
    })
    this.problems = problems
  }
}

type Place = Pick<PolicyProblem, 'file' | 'line' | 'column'>

/**
 * Reads a policy file whole.
 * @param file the file's name, for messages only
 * @throws PolicyError with every problem at once
 */
export function parsePolicy(text: string, file: string): Policy {
  return parseYaml(text, file, policySchema)
}

/**
 * Reads a YAML file of any of our formats whole. An issue whose `params` have `at` is placed at that character of the
 * text it is about.
 * @param file its name, for messages only
 * @throws PolicyError with every problem at once
 */
export function parseYaml<Schema extends z.ZodType>(
  text: string,
  file: string,
  schema: Schema,
): z.output<Schema> {
  const lineCounter = new LineCounter()
  const place = (offset: number): Place => {
    const { line, col } = lineCounter.linePos(offset)
    return { file, line: Math.max(1, line), column: Math.max(1, col) }
  }
  if (text.length > MAX_CHARACTERS) {
    const message = `the file is ${text.length} characters long; ${MAX_CHARACTERS} are the most`
    throw new PolicyError([{ file, line: 1, column: 1, field: '', message }])
  }
  const { document, value } = readYaml(text, lineCounter, place)
  const result = schema.safeParse(value, { error: plainIssue })
  if (result.success) return result.data
  const problems = result.error.issues.flatMap(fieldsOf).map(({ path, message, at }) => ({
    ...place(at === null ? offsetOf(document, path) : offsetWithin(document, path, at)),
    field: fieldName(path),
    message,
  }))
  throw new PolicyError(problems.sort((a, b) => a.line - b.line || a.column - b.column))
}

function readYaml(
  text: string,
  lineCounter: LineCounter,
  place: (offset: number) => Place,
): { document: Document; value: unknown } {
  const problem = (offset: number, message: string) => ({ ...place(offset), field: '', message })
  try {
    const document = parseDocument(text, {
      lineCounter,
      uniqueKeys: true,
      prettyErrors: false,
      logLevel: 'error',
    })
    if (document.errors.length > 0) {
      throw new PolicyError(document.errors.map(({ pos, message }) => problem(pos[0], message)))
    }
    return { document, value: document.toJS({ maxAliasCount: 100 }) ?? {} }
  } catch (error) {
    if (error instanceof PolicyError) throw error
    // What the library throws instead of listing: aliases that multiply, nesting deeper than the stack.
    const message = error instanceof Error ? error.message : String(error)
    throw new PolicyError([problem(0, `not readable as YAML: ${message}`)])
  }
}

type Issue = z.core.$ZodIssue

/** `at` is a character of the field's text; `null` where the field as a whole is meant. */
type Field = {
  readonly path: readonly PropertyKey[]
  readonly message: string
  readonly at: number | null
}

/** One place for each field that is wrong: keys that do not exist come as one issue of the object around them. */
function fieldsOf(issue: Issue): Field[] {
  const { path } = issue
  if (issue.code === 'unrecognized_keys') {
    const message = 'there is no such field'
    return issue.keys.map((key) => ({ path: [...path, key], message, at: null }))
  }
  const [reason = issue] = issue.code === 'invalid_key' ? issue.issues : []
  const at = issue.code === 'custom' ? issue.params?.['at'] : null
  return [{ path, message: reason.message, at: typeof at === 'number' ? at : null }]
}

/** Where a character of a field's text stands; the beginning of the text where it is spread over lines. */
function offsetWithin(document: Document, path: readonly PropertyKey[], at: number): number {
  const node = document.getIn(path, true)
  if (!isScalar(node) || !node.range) return offsetOf(document, path)
  const [start] = node.range
  if (node.type === 'PLAIN') return start + at
  return node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE' ? start + 1 + at : start
}

/** Where the field stands, or the nearest thing around it that does. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length--) {
    const start = keyOf(document, path.slice(0, length))?.range?.[0]
    if (start !== undefined) return start
  }
  return 0
}

/** The key of a field; the item itself in a list. */
function keyOf(document: Document, path: readonly PropertyKey[]): Node | null {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true)
  const name = path.at(-1)
  if (isMap(parent)) {
    const pair = parent.items.find(({ key }) => isScalar(key) && String(key.value) === name)
    return isNode(pair?.key) ? pair.key : null
  }
  const item = isSeq(parent) ? parent.get(Number(name), true) : null
  return isNode(item) ? item : null
}

function fieldName(path: readonly PropertyKey[]): string {
  return path.reduce<string>((name, part) => {
    if (typeof part === 'number') return `${name}[${part}]`
    return name === '' ? String(part) : `${name}.${String(part)}`
  }, '')
}
