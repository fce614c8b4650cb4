import { LineCounter, parseDocument, type Document } from 'yaml'
import { TokenfuseError } from '../errors.ts'
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

export class PolicyError extends TokenfuseError {
  readonly problems: readonly PolicyProblem[]

  constructor(problems: readonly PolicyProblem[]) {
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

/**
 * Reads a policy file whole.
 * @param file the file's name, for messages only
 * @throws PolicyError with every problem at once
 */
export function parsePolicy(text: string, file: string): Policy {
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { lineCounter, uniqueKeys: true })
  const place = (offset: number) => {
    const { line, col } = lineCounter.linePos(offset)
    return { file, line: Math.max(1, line), column: Math.max(1, col) }
  }
  if (document.errors.length > 0) {
    throw new PolicyError(
      document.errors.map((error) => ({
        ...place(error.pos[0]),
        field: '',
        message: error.message.split('\n', 1)[0] ?? error.code,
      })),
    )
  }
  const result = policySchema.safeParse(document.toJS({ maxAliasCount: 100 }) ?? {})
  if (result.success) return result.data
  throw new PolicyError(
    result.error.issues.map((issue) => ({
      ...place(offsetOf(document, issue.path)),
      field: fieldName(issue.path),
      message: issue.message,
    })),
  )
}

/** Where the field stands, or the nearest thing around it that does. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true)
    if (typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range)) {
      return Number(node.range[0])
    }
  }
  return 0
}

function fieldName(path: readonly PropertyKey[]): string {
  return path.reduce<string>((name, part) => {
    if (typeof part === 'number') return `${name}[${part}]`
    return name === '' ? String(part) : `${name}.${String(part)}`
  }, '')
}
