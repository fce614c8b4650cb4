import type { z } from 'zod'

/** Names of what was expected and of what was found, as people say them. */
const NAMES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'fields with values',
  record: 'fields with values',
  null: 'nothing',
}

/**
 * What is wrong with a value that somebody wrote, in words. For `safeParse(value, { error: plainIssue })`; what a schema
 * says itself comes before it.
 * @returns `undefined` where the library's own words will do
 */
export function plainIssue(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return mismatch(issue.expected, issue.input)
    case 'too_small':
      return sized(
        issue.origin,
        issue.minimum,
        issue.inclusive === false ? 'more than' : 'at least',
      )
    case 'too_big':
      return sized(issue.origin, issue.maximum, issue.inclusive === false ? 'less than' : 'at most')
    case 'invalid_value':
      return `use ${issue.values.map(String).join(', ')}`
    default:
      return undefined
  }
}

function mismatch(expected: string, input: unknown): string {
  if (input === undefined) return 'it is missing'
  const found = nameOf(input)
  const wanted = NAMES[expected] ?? expected
  return expected === 'int' && typeof input === 'number'
    ? `write ${wanted}`
    : `write ${wanted}, not ${found}`
}

function nameOf(input: unknown): string {
  if (Array.isArray(input)) return 'a list'
  return NAMES[input === null ? 'null' : typeof input] ?? typeof input
}

function sized(origin: string, bound: number | bigint, than: string): string {
  if (origin === 'string')
    return than === 'at least' ? 'it is empty' : `${than} ${bound} characters`
  if (origin === 'array')
    return than === 'at least' ? 'the list is empty' : `${than} ${bound} entries`
  return `write a number of ${than} ${bound}`
}
