import { type TaskEnd, taskEndSchema, type UsageEvent, usageEventSchema } from '@tokenfuse/protocol'
import { isKnownType } from '../log/codec.ts'
import { isUsageEvent } from './is-usage-event.ts'

/** What one line of a file of events holds. */
export type RecordedLine =
  | { readonly kind: 'event'; readonly event: UsageEvent | TaskEnd }
  /** An event that a backtest makes itself, or has no use for. */
  | { readonly kind: 'other' }
  | { readonly kind: 'bad'; readonly reason: string }
  | { readonly kind: 'blank' }

/** @param text `null` is a line that was too long to be kept */
export function readLine(text: string | null): RecordedLine {
  if (text === null) return { kind: 'bad', reason: 'longer than any event' }
  if (text.trim() === '') return { kind: 'blank' }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { kind: 'bad', reason: 'no JSON' }
  }
  if (isUsageEvent(value)) return { kind: 'event', event: value }
  if (typeof value !== 'object' || value === null || !('type' in value)) {
    return { kind: 'bad', reason: 'no event: it has no type' }
  }
  if (value.type !== 'usage' && value.type !== 'task.end') {
    // What Alertmanager sent stands in no log yet, and may stand in what others wrote.
    if (isKnownType(value.type) || value.type === 'alert.received') return { kind: 'other' }
    return { kind: 'bad', reason: `an event of type ${JSON.stringify(value.type)} is not known` }
  }
  const schema = value.type === 'usage' ? usageEventSchema : taskEndSchema
  const { success, data, error } = schema.safeParse(value)
  if (success) return { kind: 'event', event: data }
  const [issue] = error.issues
  const where = issue?.path.map(String).join('.') ?? ''
  return {
    kind: 'bad',
    reason: where === '' ? (issue?.message ?? '') : `${where}: ${issue?.message}`,
  }
}
