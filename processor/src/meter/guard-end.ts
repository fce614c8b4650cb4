import type { CreditReport } from '@tokenfuse/protocol'
import type { MeterOptions } from './options.ts'
import type { SpanFields } from './span-fields.ts'

/** Higher than any report that the guard has sent, so that none of those comes after it. */
const LAST_SEQUENCE = Number.MAX_SAFE_INTEGER
const GUARD_ID = /^[A-Za-z0-9_-]{8,64}$/

/**
 * The last report of a guard that ends, which comes as a span behind its last call.
 * @returns null for any other span, and for one that names no guard
 */
export function guardEndOf(fields: SpanFields, options: MeterOptions): CreditReport | null {
  if (!fields.isTrue('guardEnd')) return null
  const guard = fields.text('guard')
  if (guard === null || !GUARD_ID.test(guard)) return null
  const tenant = fields.name('tenant') ?? options.defaultTenant
  return {
    type: 'credit.report',
    v: 1,
    tenant,
    guard,
    sequence: LAST_SEQUENCE,
    closing: true,
    accounts: [],
  }
}
