import { type TokenCounts, sumOfTokens, type UsagePart } from '@tokenfuse/protocol/names'
import type { ResponseFacts } from './dialect-rules.ts'
import { type Dialect, dialectOfPath } from './endpoint.ts'
import { providerOfHost } from './provider-hosts.ts'
import { readRecording, type RecordedEvent, type Recording, splitResponses } from './recording.ts'
import {
  KIND_REASONS,
  kindOfRecording,
  type OtherKind,
  type RecordingKind,
} from './recording-kind.ts'
import { createResponseReader } from './response.ts'
import { withoutCommonModel } from './usage-parts.ts'

/** What is read from one recording, which may hold several responses back to back. */
export type Inspection = {
  /** Whether the address is that of a model call in a known dialect and the content an answer to it. */
  readonly recognised: boolean
  /** What the content is, or the address is for; `unreadable` and `unknown` where nothing tells. */
  readonly label: RecordingKind | 'unreadable' | 'unknown'
  /** Why nothing, or not all, was read; `null` where all was. */
  readonly reason: string | null
  readonly provider: string
  readonly dialect: Dialect | null
  readonly responses: readonly ResponseFacts[]
  readonly total: InspectionTotal
}

/** All responses of a recording together; the tokens are the sum over the parts. */
export type InspectionTotal = {
  readonly responseModel: string | null
  readonly serviceTier: string | null
  readonly parts: readonly UsagePart[]
  readonly tokens: TokenCounts
  /** `provider` only where every response has final usage. */
  readonly source: 'provider' | 'partial' | null
}

/** What paths that are no model call are for. */
const OTHER_PATHS: readonly (readonly [path: RegExp, kind: OtherKind])[] = [
  [/\/images\/(?:generations|edits|variations)$/, 'image'],
  [/\/audio\/(?:transcriptions|translations)$/, 'transcription'],
  [/\/audio\/speech$/, 'speech'],
  [/\/realtime(?:\/|$)/, 'realtime'],
  [/\/skills(?:\/|$)/, 'skill'],
  [/\/files(?:\/|$)/, 'file'],
  [/\/batches(?:\/|$)/, 'batch'],
  [/\/moderations$/, 'moderation'],
  [/\/models$/, 'model_list'],
  [/\/(?:count_tokens|input_tokens)$/, 'token_count'],
  [/\/rerank$/, 'rerank'],
  [/:(?:stream)?[gG]enerateContent$|:batchEmbedContents$|\/interactions$/, 'unsupported'],
  [/\/model\/[^/]+\/(?:converse|invoke)/, 'unsupported'],
  [/\/v[12]\/(?:chat|embed)$|\/api\/(?:chat|generate)$/, 'unsupported'],
]

/**
 * Reads a recorded response as the preload would have read it live. Never throws, and never gives 0 for what is
 * unknown. The dialect is that of the path, whatever the host; where the content is plainly of another, that wins.
 * @param bytes a JSON body, a raw event stream, or one event's JSON a line; plain or gzipped
 */
export function inspectResponse(bytes: Uint8Array, url: URL): Inspection {
  const path = url.pathname.replace(/\/$/, '')
  const pathDialect = dialectOfPath(path)
  const provider = providerOfHost(url.hostname) ?? pathDialect?.replace(/\..*/, '') ?? url.hostname
  const recording = readRecording(bytes)
  const kind = recording && kindOfRecording(recording)
  if (!pathDialect) {
    const label = otherKind(kind, path)
    const reason = label ? KIND_REASONS[label] : `${path} is no path of a model call.`
    return unrecognised(label ?? 'unknown', provider, reason)
  }
  if (!recording) {
    return unrecognised('unreadable', provider, 'The content is neither JSON nor an event stream.')
  }
  if (kind !== null && kind !== 'error' && !isDialect(kind)) {
    return unrecognised(kind, provider, KIND_REASONS[kind])
  }
  const dialect = kind === null || kind === 'error' ? pathDialect : kind
  const responses = readResponses(recording, dialect, provider)
  if (kind === null && responses.every(saysNothing)) {
    return unrecognised('unknown', provider, `The content is no answer of ${dialect}.`)
  }
  const label = kind ?? dialect
  const reason = label === 'error' ? KIND_REASONS.error : null
  return {
    recognised: true,
    label,
    reason,
    provider,
    dialect,
    responses,
    total: totalOf(responses),
  }
}

function isDialect(kind: RecordingKind): kind is Dialect {
  return kind.startsWith('openai.') || kind === 'anthropic.messages'
}

/** What an answer is that was not given at the path of a model call. */
function otherKind(kind: RecordingKind | null, path: string): OtherKind | null {
  if (kind === 'error') return kind
  const pathKind = OTHER_PATHS.find(([pattern]) => pattern.test(path))?.[1]
  return pathKind ?? (kind === null || isDialect(kind) ? null : kind)
}

function unrecognised(label: Inspection['label'], provider: string, reason: string): Inspection {
  const nothing = { responses: [], total: totalOf([]) }
  return { recognised: false, label, reason, provider, dialect: null, ...nothing }
}

function saysNothing({ responseId, responseModel, source, error }: ResponseFacts): boolean {
  return responseId === null && responseModel === null && source === null && error === null
}

function readResponses(
  recording: Recording,
  dialect: Dialect,
  provider: string,
): readonly ResponseFacts[] {
  if (recording.kind === 'events') {
    return splitResponses(recording.events, dialect).map((events) =>
      readStream(events, dialect, provider),
    )
  }
  const reader = createResponseReader({ dialect, provider }, 'application/json')
  reader.push(Buffer.from(recording.text))
  return [reader.end('complete')]
}

function readStream(
  events: readonly RecordedEvent[],
  dialect: Dialect,
  provider: string,
): ResponseFacts {
  const reader = createResponseReader({ dialect, provider }, 'text/event-stream')
  for (const { data } of events) {
    reader.push(Buffer.from(`data: ${data.replaceAll('\n', '\ndata: ')}\n\n`))
  }
  return reader.end('complete')
}

function totalOf(responses: readonly ResponseFacts[]): InspectionTotal {
  const responseModel =
    responses.find((facts) => facts.responseModel !== null)?.responseModel ?? null
  const parts = responses.flatMap((facts) =>
    facts.parts.map((part) => ({ ...part, model: part.model ?? facts.responseModel })),
  )
  const isWhole = responses.every(({ source }) => source === 'provider')
  return {
    responseModel,
    serviceTier: responses.find((facts) => facts.serviceTier !== null)?.serviceTier ?? null,
    parts: withoutCommonModel(parts, responseModel),
    tokens: sumOfTokens(parts),
    source: parts.length === 0 ? null : isWhole ? 'provider' : 'partial',
  }
}
