// Decompression is computation: bytes in, bytes out.
// oxlint-disable-next-line tokenfuse/no-builtin-modules
import { gunzipSync } from 'node:zlib'
import { decodeByteString } from './byte-buffer.ts'
import type { Dialect } from './endpoint.ts'
import { asArray, asObject, asText, type JsonObject, parseObject } from './json.ts'
import { SseParser } from './sse-parser.ts'

const MAX_RECORDING_BYTES = 256 * 1024 * 1024
const SSE_FIELD = /^(?:data|event|id|retry)?:/

/** One event of a recorded stream: its data as recorded, and what it says; `null` where it is no JSON object. */
export type RecordedEvent = { readonly data: string; readonly json: JsonObject | null }

/** A recorded response: one JSON body, or the events of a stream. */
export type Recording =
  | { readonly kind: 'body'; readonly text: string; readonly body: JsonObject }
  | { readonly kind: 'events'; readonly events: readonly RecordedEvent[] }

/**
 * Reads a JSON body, a raw event stream, or one event's JSON a line, plain or gzipped; `null` where it is none of
 * these.
 */
export function readRecording(bytes: Uint8Array): Recording | null {
  const plain = decompressed(bytes)
  if (!plain) return null
  const text = new TextDecoder().decode(plain).trim()
  if (SSE_FIELD.test(text)) return eventRecording(eventsOfStream(plain))
  const body = parseObject(text)
  if (body) return isEvent(body) ? eventRecording([text]) : { kind: 'body', text, body }
  const recording = eventRecording(text.split('\n').filter((line) => line.trim() !== ''))
  return recording.events.some(({ json }) => json !== null) ? recording : null
}

/** The events of each response, where a recording holds several back to back. */
export function splitResponses(
  events: readonly RecordedEvent[],
  dialect: Dialect,
): readonly (readonly RecordedEvent[])[] {
  const isFirst = FIRST_EVENTS[dialect]
  const responses: RecordedEvent[][] = []
  for (const event of events) {
    const response = responses.at(-1)
    if (!response || isFirst(event, response)) responses.push([event])
    else response.push(event)
  }
  return responses
}

type IsFirst = (event: RecordedEvent, response: readonly RecordedEvent[]) => boolean

const FIRST_EVENTS: Readonly<Record<Dialect, IsFirst>> = {
  'openai.responses': ({ json }) => json?.['type'] === 'response.created',
  'anthropic.messages': (_event, response) => response.at(-1)?.json?.['type'] === 'message_stop',
  'openai.chat': isNextCompletion,
  'openai.completions': isNextCompletion,
  'openai.embeddings': () => false,
}

/** A new id after the end of a completion; some gateways give every event another one. */
function isNextCompletion({ json }: RecordedEvent, response: readonly RecordedEvent[]): boolean {
  const last = response.at(-1)
  if (last?.data === '[DONE]') return true
  const hasChoice = asArray(json?.['choices']).length > 0
  if (!hasChoice || asText(json?.['id']) === asText(last?.json?.['id'])) return false
  return response.some((event) =>
    asArray(event.json?.['choices']).some(
      (choice) => asText(asObject(choice)?.['finish_reason']) !== null,
    ),
  )
}

function decompressed(bytes: Uint8Array): Uint8Array | null {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_RECORDING_BYTES })
  } catch {
    return null
  }
}

function eventsOfStream(bytes: Uint8Array): string[] {
  const events: string[] = []
  const parser = new SseParser(
    (data) => events.push(decodeByteString(data)),
    () => events.push(''),
  )
  parser.push(bytes)
  parser.end()
  return events
}

function eventRecording(events: readonly string[]): Recording & { kind: 'events' } {
  return { kind: 'events', events: events.map((data) => ({ data, json: parseObject(data) })) }
}

/** A recording of a single event looks like a body. */
function isEvent(body: JsonObject): boolean {
  const type = asText(body['type']) ?? ''
  return (
    body['object'] === 'chat.completion.chunk' ||
    /^(?:response\.|message_|content_block_|session\.)/.test(type)
  )
}
