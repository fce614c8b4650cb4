import type { Call, Endpoint, Segment } from './call.ts'
import { type ProviderConfig } from './config.ts'
import type { JsonObject } from './json.ts'
import { Ledger } from './ledger.ts'
import { PromptCache } from './prompt-cache.ts'
import { hashText } from './random.ts'
import { readMessages } from './read/anthropic-messages.ts'
import { readChat } from './read/openai-chat.ts'
import { readEmbeddings } from './read/openai-embeddings.ts'
import { readResponses } from './read/openai-responses.ts'
import type { Dialect, Reply } from './reply.ts'
import { anthropicMessages } from './render/anthropic-messages.ts'
import { openaiChat } from './render/openai-chat.ts'
import { openaiEmbeddings } from './render/openai-embeddings.ts'
import { openaiResponses } from './render/openai-responses.ts'
import { ReplyQueue } from './script.ts'
import { Tokenizer } from './tokenizer.ts'

const MAX_CONVERSATIONS = 20_000

export const DIALECTS: Readonly<Record<Endpoint, Dialect>> = {
  'openai.chat': openaiChat,
  'openai.responses': openaiResponses,
  'openai.embeddings': openaiEmbeddings,
  'anthropic.messages': anthropicMessages,
}

/** All that the stand-in knows and remembers. */
export class StandIn {
  config: ProviderConfig
  readonly ledger = new Ledger()
  readonly queue = new ReplyQueue()
  readonly cache = new PromptCache()
  readonly tokenizer = new Tokenizer()
  readonly #conversations = new Map<string, readonly Segment[]>()

  constructor(config: ProviderConfig) {
    this.config = config
  }

  /** @throws {ApiError} as the provider would refuse the request */
  read(endpoint: Endpoint, body: JsonObject, model: string, config: ProviderConfig): Call {
    const context = { tokenizer: this.tokenizer, config }
    switch (endpoint) {
      case 'openai.chat':
        return readChat(body, model, context)
      case 'openai.responses':
        return readResponses(body, model, context, (id) => this.#conversations.get(id) ?? null)
      case 'openai.embeddings':
        return readEmbeddings(body, model, context)
      case 'anthropic.messages':
        return readMessages(body, model, context)
    }
  }

  /** Keeps a response so that the next request can go on from it by its id. */
  remember(reply: Reply): void {
    if (reply.call.endpoint !== 'openai.responses') return
    for (const oldest of this.#conversations.keys()) {
      if (this.#conversations.size < MAX_CONVERSATIONS) break
      this.#conversations.delete(oldest)
    }
    const tokens = reply.tokens.output - reply.tokens.reasoning
    const answer: Segment = { tokens, hash: hashText(reply.responseId), cacheTtl: null }
    this.#conversations.set(reply.responseId, [...reply.call.segments, answer])
  }

  reset(): void {
    this.ledger.clear()
    this.queue.clear()
    this.cache.clear()
    this.#conversations.clear()
  }
}
