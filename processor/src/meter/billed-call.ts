import { BILLED_OPERATIONS } from '@tokenfuse/protocol'
import type { SpanFields } from './span-fields.ts'

/** Why a span adds nothing. */
export const IGNORED_REASONS = [
  'not_genai',
  'counted',
  'agent',
  'workflow',
  'tool',
  'fetch_response',
  'other_operation',
  'no_call',
] as const
export type IgnoredReason = (typeof IGNORED_REASONS)[number]

const BILLED: ReadonlySet<string> = new Set(BILLED_OPERATIONS)

/** Usage on these is the sum of their children's, or was counted when it was first received. */
const OTHER_OPERATIONS: Readonly<Record<string, IgnoredReason>> = {
  create_agent: 'agent',
  invoke_agent: 'agent',
  invoke_workflow: 'workflow',
  plan: 'workflow',
  execute_tool: 'tool',
  fetch_response: 'fetch_response',
}

const USAGE_FIELDS = ['input', 'output', 'cacheRead', 'cacheWrite', 'reasoning', 'parts'] as const

/**
 * Whether a span is one request to a provider, which alone costs money. Where no operation is told, a model and usage
 * make a call.
 * @returns why the span adds nothing; `null` for a call
 */
export function ignoredReason(fields: SpanFields): IgnoredReason | null {
  if (fields.isTrue('counted')) return 'counted'
  const operation = fields.text('operation') || null
  if (operation === null) {
    const model = fields.text('responseModel') || fields.text('requestModel')
    return model && hasUsage(fields) ? null : 'no_call'
  }
  if (BILLED.has(operation)) return null
  return Object.hasOwn(OTHER_OPERATIONS, operation)
    ? (OTHER_OPERATIONS[operation] as IgnoredReason)
    : 'other_operation'
}

/** Whether a span says anything of tokens, be it true or not. */
function hasUsage(fields: SpanFields): boolean {
  return USAGE_FIELDS.some((field) => fields.value(field) !== null)
}
