import type { StreamMessage } from '@tokenfuse/protocol/names'

type Fields = Readonly<Record<string, unknown>>

/** What each kind of message must have for the preload to use it: the processor has validated the rest. */
const REQUIRED: Readonly<Record<StreamMessage['type'], (fields: Fields) => boolean>> = {
  policy: (fields) =>
    Number.isSafeInteger(fields['version']) && isListOf(fields['budgets'], ['id']),
  decisions: (fields) => isListOf(fields['decisions'], DECISION_TEXTS),
  decision: (fields) => hasTexts(fields['decision'], DECISION_TEXTS),
  credit: (fields) => isListOf(fields['accounts'], [...COUNTER_TEXTS, 'lent', 'state']),
  recall: (fields) => isListOf(fields['accounts'], COUNTER_TEXTS),
}

const DECISION_TEXTS = ['id', 'tenant', 'scope', 'action', 'reason'] as const
const COUNTER_TEXTS = ['budget', 'scope'] as const

/** The message in an event's data, or `null` where it is none that this version knows. */
export function parseStreamMessage(data: string): StreamMessage | null {
  try {
    const fields: unknown = JSON.parse(data)
    if (!isRecord(fields) || !isType(fields['type'])) return null
    return REQUIRED[fields['type']](fields) ? (fields as unknown as StreamMessage) : null
  } catch {
    return null
  }
}

const isType = (type: unknown): type is StreamMessage['type'] =>
  typeof type === 'string' && Object.hasOwn(REQUIRED, type)

const isListOf = (value: unknown, texts: readonly string[]) =>
  Array.isArray(value) && value.every((item) => hasTexts(item, texts))

const hasTexts = (value: unknown, texts: readonly string[]) =>
  isRecord(value) && texts.every((name) => typeof value[name] === 'string')

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
