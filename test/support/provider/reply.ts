import type { Added, BilledTokens, Extra } from './bill.ts'
import type { Call } from './call.ts'
import type { Plan } from './plan.ts'

/** An answer ready to be written in its endpoint's words. */
export type Reply = {
  readonly call: Call
  readonly plan: Plan
  readonly responseId: string
  /** Seconds since 1970. */
  readonly createdAtS: number
  /** Billed as soon as the answer begins: no output yet, nor what server tools and the advisor add to the input. */
  readonly startTokens: BilledTokens
  /** Billed when all of the answer is sent. */
  readonly tokens: BilledTokens
  readonly compaction: Extra | null
  readonly advisor: Extra | null
  readonly webSearches: number
}

/** A step of a stream: what goes out and what it means for the bill. */
export type StreamStep = {
  /** Empty where the model thinks unseen. */
  readonly text: string
  readonly generatedTokens: number
  /** One of the last events, which a broken stream lacks. */
  readonly ending?: boolean
  readonly carriesUsage?: boolean
  /** From here on these are billed too. */
  readonly bills?: Added
}

/** How one endpoint writes answers. */
export type Dialect = {
  whole(reply: Reply): string
  stream(reply: Reply, tokensPerEvent: number): Iterable<StreamStep>
  /** What a stream says that fails after it began. */
  streamError(reply: Reply): string
}
