import type { UsagePart } from '@tokenfuse/protocol/names'
import type { JsonObject } from './json.ts'
import type { ResponseProblem } from './problems.ts'

/** How the response ended: whole, given up by the caller, or broken off by network or provider. */
export type EndReason = 'complete' | 'aborted' | 'failed'

/** What a response says about itself. Anything not known is `null` or empty, never 0. */
export type ResponseFacts = {
  readonly responseId: string | null
  /** The model that answered, which is the one that is charged. */
  readonly responseModel: string | null
  readonly serviceTier: string | null
  /** In the provider's own words, one a choice. */
  readonly finishReasons: readonly string[]
  /** What is charged; empty where nothing is known. */
  readonly parts: readonly UsagePart[]
  /** `provider`: final usage. `partial`: a lower bound. `null`: no usage at all, so that the caller may estimate. */
  readonly source: 'provider' | 'partial' | null
  readonly problems: readonly ResponseProblem[]
  /** The provider's name for the error, where the body says that there was one. */
  readonly error: string | null
  /**
   * Text generated so far, tool arguments included, at most 256 KiB; empty once the usage is final. All choices
   * one after the other.
   */
  readonly outputText: string
}

/** What to do with an event, judged by its undecoded text. */
export type Glance = {
  /** Whether it may change the state. Most may not, and are never parsed. */
  readonly mayChange: boolean
  /** Members that hold generated text, the likeliest first; each with its end, such as `content"`. */
  readonly textNames: readonly string[]
}

/**
 * How the answers of one dialect are read. All functions are pure; `S` holds what is known of a response so far.
 * Undecoded text is a byte string (see `byteString`).
 */
export type DialectRules<S> = {
  readonly initial: S
  readonly glance: (state: S, data: string) => Glance
  readonly reduce: (state: S, event: JsonObject) => S
  /** The state after a whole body that is no stream. */
  readonly readBody: (body: JsonObject) => S
  readonly bodyTextNames: readonly string[]
  readonly conclude: (state: S, reason: EndReason) => Omit<ResponseFacts, 'outputText'>
}
