import { MAX_TOKENS_PER_CALL } from '@tokenfuse/protocol/names'
import { note, type ResponseProblem } from './problems.ts'

export type JsonObject = Readonly<Record<string, unknown>>

export function asObject(value: unknown): JsonObject | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : null
}

export function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : []
}

/** A text that says something: `null` for the empty one too. */
export function asText(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

/** `null` where the text is no JSON, or JSON of another kind. */
export function parseObject(text: string): JsonObject | null {
  try {
    return asObject(JSON.parse(text))
  } catch {
    return null
  }
}

/** A token count as the provider gave it. Missing is unknown (`null`); what cannot be a count is unknown and noted. */
export function asCount(value: unknown, problems: ResponseProblem[]): number | null {
  if (value === undefined || value === null) return null
  if (typeof value !== 'number') note(problems, 'token_count_not_a_number')
  else if (!Number.isInteger(value)) note(problems, 'token_count_not_whole')
  else if (value < 0) note(problems, 'token_count_negative')
  else if (value > MAX_TOKENS_PER_CALL) note(problems, 'token_count_absurd')
  else return value
  return null
}

/** The most telling name that a provider's error has for itself; `null` where it is no error. */
export function errorName(value: unknown): string | null {
  const error = asObject(value)
  if (!error) return asText(value)
  const code = error['code']
  const status = typeof code === 'number' ? String(code) : null
  return asText(code) ?? asText(error['type']) ?? status ?? 'error'
}
