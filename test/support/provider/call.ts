import type { JsonObject } from './json.ts'
import type { Model } from './models.ts'

export type Endpoint =
  | 'openai.chat'
  | 'openai.responses'
  | 'openai.embeddings'
  | 'anthropic.messages'

/** A stretch of the prompt that is cached or not as a whole: a tool, a message, a block. */
export type Segment = {
  readonly tokens: number
  readonly hash: number
  /** Anthropic: a cache breakpoint stands behind it. */
  readonly cacheTtl: '5m' | '1h' | null
}

export type Tool = { readonly name: string; readonly schema: JsonObject | null }

export type ToolUse = 'auto' | 'required' | 'none'

/** A request in the stand-in's own terms, whichever endpoint it came by. */
export type Call = {
  readonly endpoint: Endpoint
  readonly model: Model
  readonly stream: boolean
  /** Whether the stream ends with usage; whole bodies always carry it. */
  readonly usageInStream: boolean
  /** The prompt in the order in which it is cached. */
  readonly segments: readonly Segment[]
  /** Tokens that no client can see: frames around messages, tools and the request. */
  readonly hiddenTokens: number
  readonly maxOutputTokens: number | null
  readonly choices: number
  readonly tools: readonly Tool[]
  readonly toolUse: ToolUse
  readonly parallelTools: boolean
  /** The answer must be JSON of this schema. */
  readonly outputSchema: JsonObject | null
  /** Factor on the drawn reasoning length; 0 without reasoning. */
  readonly reasoningEffort: number
  readonly reasoningBudget: number | null
  readonly serviceTier: string | null
  /** What the client says about itself: `user` or `metadata.user_id`. */
  readonly user: string | null
  readonly webSearchUses: number
  readonly advisor: Model | null
  /** Inputs above this are summarised first. */
  readonly compactAbove: number | null
  /** Embeddings: the number of texts and the vector's size. */
  readonly embedding: {
    readonly texts: number
    readonly dimensions: number
    readonly base64: boolean
  } | null
}
