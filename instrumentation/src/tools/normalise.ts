import { canonicalJson } from './canonical.ts'

type Volatile = {
  readonly pattern: RegExp
  /** Of what the pattern finds, only this; all of it where absent. */
  readonly only?: (found: string) => boolean
}

const hasDigit = (text: string) => /\d/.test(text)
const isMixed = (text: string) => hasDigit(text) && /[a-z]/i.test(text)

/**
 * What differs between two runs of the same tool that found the same thing, in the order in which it is taken out.
 * Each pattern takes time linear in the text.
 */
const VOLATILE: readonly Volatile[] = [
  { pattern: /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi },
  // Dates with or without a time, and times of day.
  {
    pattern:
      /\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?)?(?: ?Z\b| ?[+-]\d\d:?\d\d\b)?/g,
  },
  { pattern: /\b\d{1,2}:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?: ?[AP]M)?\b/gi },
  // Ids with a prefix, such as call_x7f2k9q1.
  { pattern: /\b[a-z]{2,12}[_-][A-Za-z0-9]{8,}\b/g, only: hasDigit },
  { pattern: /\b0x[0-9a-f]+\b/gi },
  { pattern: /\b[0-9a-f]{8,}\b/gi, only: isMixed },
  // Times since 1970, row ids.
  { pattern: /\b\d{10,}\b/g },
  {
    pattern:
      /\b\d{1,9}(?:[.,]\d{1,9})? ?(?:ns|[uµ]s|ms|s|secs?|seconds?|mins?|minutes?|milliseconds?)\b/gi,
  },
  { pattern: /\bpid[ =:]{1,3}\d{1,9}\b/gi },
]

/** A tool's result without what changes from run to run, white space made even. */
export function normaliseResult(content: string): string {
  let text = canonicalJson(content)
  for (const { pattern, only } of VOLATILE) {
    text = text.replace(pattern, (found) => (only === undefined || only(found) ? '#' : found))
  }
  return text.replace(/\s+/g, ' ').trim()
}
