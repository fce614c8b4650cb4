import type { Dialect } from './endpoint.ts'
import { asArray, asObject, asText, errorName, type JsonObject } from './json.ts'
import type { Recording } from './recording.ts'

/** What is no answer of a known dialect, in a sentence each. */
export const KIND_REASONS = {
  error: 'An error; nothing was generated.',
  image: 'Images, which are charged by image or by image tokens and not metered here.',
  speech: 'Speech, which is charged by time or characters and not metered here.',
  transcription: 'A transcription, which is charged by time or audio tokens and not metered here.',
  realtime: 'A realtime session, which does not pass through HTTP and is not metered here.',
  skill: 'The management of a skill, which is no model call.',
  file: 'The management of a file, which is no model call.',
  batch: 'A batch, whose calls are charged when it has run and not metered here.',
  moderation: 'A moderation, which is free.',
  model_list: 'A list of models, which is no model call.',
  token_count: 'A count of tokens, which is free.',
  rerank: 'A reranking, which is charged by search and not metered here.',
  unsupported: 'A response in a format of this provider that is not read yet.',
} as const

export type OtherKind = keyof typeof KIND_REASONS
/** What a recorded response is, as far as its content tells. */
export type RecordingKind = Dialect | OtherKind

const OBJECT_KINDS: Readonly<Record<string, RecordingKind>> = {
  'chat.completion': 'openai.chat',
  'chat.completion.chunk': 'openai.chat',
  text_completion: 'openai.completions',
  response: 'openai.responses',
  'response.compaction': 'openai.responses',
  skill: 'skill',
  'skill.version': 'skill',
  file: 'file',
  batch: 'batch',
  error: 'error',
}

/** `null` where the content does not tell. */
export function kindOfRecording(recording: Recording): RecordingKind | null {
  if (recording.kind === 'body') return kindOfBody(recording.body)
  let kind: RecordingKind | null = null
  for (const { json } of recording.events) {
    const found = json ? (kindOfEvent(json) ?? kindOfBody(json)) : null
    // An error may be the first event of a stream, or all of it.
    if (found !== null && found !== 'error') return found
    kind ??= found
  }
  return kind
}

const EVENT_KINDS: readonly (readonly [type: RegExp, kind: RecordingKind])[] = [
  [/^response\./, 'openai.responses'],
  [/^(?:message_(?:start|delta|stop)|content_block_(?:start|delta|stop))$/, 'anthropic.messages'],
  [/^(?:session|conversation|input_audio_buffer|rate_limits)\./, 'realtime'],
  [/^transcript\./, 'transcription'],
  [/^image_(?:generation|edit)\./, 'image'],
  [/^speech\.audio\./, 'speech'],
  [/^error$/, 'error'],
]

function kindOfEvent(event: JsonObject): RecordingKind | null {
  const type = asText(event['type']) ?? ''
  return EVENT_KINDS.find(([pattern]) => pattern.test(type))?.[1] ?? null
}

function kindOfBody(body: JsonObject): RecordingKind | null {
  const known = OBJECT_KINDS[asText(body['object']) ?? '']
  if (known) return known
  if (errorName(body['error']) !== null) return 'error'
  if (Array.isArray(body['choices'])) return 'openai.chat'
  if (body['type'] === 'message' && Array.isArray(body['content'])) return 'anthropic.messages'
  if (isSkill(body)) return 'skill'
  return kindOfList(body) ?? kindOfAudio(body)
}

function isSkill(body: JsonObject): boolean {
  const ids = [body['id'], body['skill_id']]
  return ids.some((id) => typeof id === 'string' && id.startsWith('skill_'))
}

function kindOfList(body: JsonObject): RecordingKind | null {
  const first = asObject(asArray(body['data'])[0])
  if (!first) return null
  if (first['object'] === 'embedding') return 'openai.embeddings'
  if (first['b64_json'] !== undefined || first['revised_prompt'] !== undefined) return 'image'
  if (body['created'] !== undefined && first['url'] !== undefined) return 'image'
  if (first['object'] === 'model' || first['type'] === 'model') return 'model_list'
  return first['object'] === 'skill' ? 'skill' : null
}

function kindOfAudio(body: JsonObject): RecordingKind | null {
  if (typeof body['text'] !== 'string') return null
  const isTimed = asObject(body['usage'])?.['type'] === 'duration'
  const members = ['words', 'segments', 'duration', 'language']
  return isTimed || members.some((name) => body[name] !== undefined) ? 'transcription' : null
}
