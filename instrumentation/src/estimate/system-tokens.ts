type Json = Readonly<Record<string, unknown>>

/** Roles whose messages are instructions. */
const INSTRUCTING: ReadonlySet<unknown> = new Set(['system', 'developer'])
const PARTS_MAX = 1000

/** A request as it was sent. */
export type SentRequest = {
  readonly body: Json | null
  /** Characters of the body's text. */
  readonly bodyLength: number
}

/**
 * How many of the tokens that a model read were those of the system prompt, by its share of the request's characters.
 * Good to tell half from a tenth; the texts themselves are only measured.
 * @param inputTokens `null` where they are not known
 * @returns `null` where nothing is known
 */
export function systemTokens(
  { body, bodyLength }: SentRequest,
  inputTokens: number | null,
): number | null {
  if (body === null || bodyLength === 0 || inputTokens === null) return null
  const own = lengthOf(body['system'] ?? body['instructions'])
  const length = own + messagesLength(body['messages'] ?? body['input'])
  return Math.round(inputTokens * Math.min(1, length / bodyLength))
}

function messagesLength(messages: unknown): number {
  if (!Array.isArray(messages)) return 0
  let length = 0
  for (const message of messages as unknown[]) {
    if (isObject(message) && INSTRUCTING.has(message['role']))
      length += lengthOf(message['content'])
  }
  return length
}

/** Of a text, or of the texts of its parts. */
function lengthOf(content: unknown): number {
  if (typeof content === 'string') return content.length
  if (!Array.isArray(content)) return 0
  let length = 0
  for (const part of content.slice(0, PARTS_MAX) as unknown[]) {
    const text = isObject(part) ? part['text'] : part
    if (typeof text === 'string') length += text.length
  }
  return length
}

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null
