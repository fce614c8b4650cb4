import { ANTHROPIC_MESSAGES_RULES } from './anthropic-messages.ts'
import type { DialectRules, EndReason, ResponseFacts } from './dialect-rules.ts'
import type { Endpoint } from './endpoint.ts'
import { openAiChatRules } from './openai-chat.ts'
import { OPENAI_RESPONSES_RULES } from './openai-responses.ts'
import { note, type ResponseProblem } from './problems.ts'
import { BodyReader, EventStreamReader, type ResponseReader } from './response-reader.ts'

/**
 * A reader for one response.
 * @param contentType of the response; an error is JSON even where a stream was asked for. Where it names neither
 *   JSON nor an event stream, the first byte decides.
 */
export function createResponseReader(
  endpoint: Pick<Endpoint, 'dialect' | 'provider'>,
  contentType: string,
): ResponseReader {
  switch (endpoint.dialect) {
    case 'openai.responses':
      return new SafeReader(OPENAI_RESPONSES_RULES, contentType)
    case 'anthropic.messages':
      return new SafeReader(ANTHROPIC_MESSAGES_RULES, contentType)
    default:
      return new SafeReader(openAiChatRules(endpoint.dialect, endpoint.provider), contentType)
  }
}

/** Chooses how to read, and keeps a bug of ours from reaching the app. */
class SafeReader<S> implements ResponseReader {
  readonly #rules: DialectRules<S>
  readonly #problems: ResponseProblem[] = []
  #reader: ResponseReader | null
  #facts: ResponseFacts | null = null

  constructor(rules: DialectRules<S>, contentType: string) {
    this.#rules = rules
    this.#reader = readerByContentType(rules, contentType.toLowerCase())
  }

  push(bytes: Uint8Array): void {
    if (this.#facts) return
    try {
      this.#reader ??= readerByContent(this.#rules, bytes)
      this.#reader?.push(bytes)
    } catch {
      note(this.#problems, 'reader_failed')
    }
  }

  end(reason: EndReason): ResponseFacts {
    this.#facts ??= this.#conclude(reason)
    return this.#facts
  }

  #conclude(reason: EndReason): ResponseFacts {
    try {
      const facts = (this.#reader ?? new BodyReader(this.#rules)).end(reason)
      return { ...facts, problems: [...new Set([...facts.problems, ...this.#problems])] }
    } catch {
      return { ...NOTHING_KNOWN, problems: ['reader_failed'] }
    }
  }
}

const NOTHING_KNOWN: ResponseFacts = Object.freeze({
  responseId: null,
  responseModel: null,
  serviceTier: null,
  finishReasons: [],
  parts: [],
  source: null,
  problems: [],
  error: null,
  outputText: '',
})

function readerByContentType<S>(
  rules: DialectRules<S>,
  contentType: string,
): ResponseReader | null {
  if (contentType.includes('event-stream')) return new EventStreamReader(rules)
  if (contentType.includes('json')) return new BodyReader(rules)
  return null
}

/** `null` while there is nothing but white space. */
function readerByContent<S>(rules: DialectRules<S>, bytes: Uint8Array): ResponseReader | null {
  const first = bytes.find((byte) => byte > 0x20)
  if (first === undefined) return null
  return first === 0x7b ? new BodyReader(rules) : new EventStreamReader(rules)
}
