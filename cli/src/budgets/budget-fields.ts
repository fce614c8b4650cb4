import { type Budget, isDimension, parseShortBudget, TokenfuseError } from '@tokenfuse/protocol'
import type { BudgetFields } from '../processor/client.ts'

/** What `budget set` takes beside the amount. Each goes into the policy file as it is given. */
export type BudgetOptions = {
  readonly match?: readonly string[]
  readonly hard?: boolean
  readonly soft?: boolean
  readonly shadow?: boolean
  readonly nested?: boolean
  readonly warnAt?: number
  readonly description?: string
  readonly stale?: string
  readonly bestEffort?: boolean
  readonly grace?: string
  readonly uncappable?: string
  readonly maxWait?: string
  readonly settleAfter?: string
}

/**
 * The fields of a budget that a command names. Of one that is there already, a bare amount changes nothing but the
 * limit.
 * @throws TokenfuseError `bad_request`
 */
export function budgetFields(
  amount: string,
  options: BudgetOptions,
  existing: Budget | undefined,
): BudgetFields {
  const { limit, window, per = [] } = parseShortBudget(amount)
  const isBare = existing !== undefined && !amount.includes('/')
  const { match, hard, soft, shadow, ...others } = options
  const mode = hard ? 'hard' : soft ? 'soft' : shadow ? 'shadow' : undefined
  const fields = {
    ...(isBare
      ? {}
      : { window, per: per.length + (existing?.per.length ?? 0) > 0 ? per : undefined }),
    limit,
    match: match && readMatch(match),
    mode,
    ...others,
  }
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

/**
 * Reads `agent=support` and the like; a dimension that comes more than once fits any of its values.
 * @throws TokenfuseError `bad_request`
 */
export function readMatch(texts: readonly string[]): Record<string, string | string[]> {
  const match = new Map<string, string[]>()
  for (const text of texts) {
    const at = text.indexOf('=')
    const [dimension, glob] = [text.slice(0, at).trim(), text.slice(at + 1).trim()]
    if (at < 0 || !isDimension(dimension) || glob === '') {
      throw new TokenfuseError('bad_request', `"${text}" does not say which calls are meant`, {
        fix: 'Write a dimension and a glob, such as agent=support, model=gpt-4* or tag.team=search.',
      })
    }
    match.set(dimension, [...(match.get(dimension) ?? []), glob])
  }
  return Object.fromEntries(
    [...match].map(([dimension, globs]) => [
      dimension,
      globs.length === 1 ? (globs[0] ?? '') : globs,
    ]),
  )
}
