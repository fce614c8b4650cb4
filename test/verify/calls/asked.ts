import type Anthropic from '@anthropic-ai/sdk'
import type OpenAI from 'openai'
import type { ConfigPatch, ReplyScript } from '../../support/provider/client.ts'

/** What a call asks of the stand-in beside the answer. */
export type Asked = {
  readonly fault?: string
  readonly reply?: ReplyScript
  readonly config?: ConfigPatch
}

/** One call of the load, with the clients it may use. */
export type CallContext = {
  readonly openai: OpenAI
  readonly anthropic: Anthropic
  /** The same provider at a host that is not known to give usage in streams. */
  readonly quietOpenai: OpenAI
  /** A host of which the user says that it gives usage in streams, and which refuses to be asked. */
  readonly strictOpenai: OpenAI
  /** Something to talk about, another for each call. */
  readonly subject: string
  /** Request options that carry the call's label, and what is asked of the stand-in. */
  readonly asking: (asked?: Asked) => { headers: Record<string, string> }
  /** Resolves when the call is at the stand-in. */
  readonly arrived: () => Promise<void>
}

/** What the ledger must say of a scenario's last request, so that the load is known to be what it claims to be. */
export type Ending = {
  readonly outcome: 'completed' | 'aborted' | 'cut' | 'error'
  readonly usageSent: boolean
}

export type Scenario = {
  readonly name: string
  /** How often it comes, against the others. */
  readonly weight: number
  readonly ending: Ending
  /** Makes the call; throws where the app saw something that it should not have seen. */
  run(call: CallContext): Promise<void>
}

export const COMPLETED: Ending = { outcome: 'completed', usageSent: true }
/** Complete, from a host that gives no usage in streams. */
export const WITHOUT_USAGE: Ending = { outcome: 'completed', usageSent: false }
export const ABORTED: Ending = { outcome: 'aborted', usageSent: false }
export const CUT: Ending = { outcome: 'cut', usageSent: false }
export const FAILED: Ending = { outcome: 'error', usageSent: false }

/** @throws {Error} unless the call fails */
export async function mustFail(call: Promise<unknown>): Promise<void> {
  const failed = await call.then(
    () => false,
    () => true,
  )
  if (!failed) throw new Error('the app should have seen an error')
}

/** @throws {Error} unless it holds */
export function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`the app should have seen ${what}`)
}

export async function drain(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _item of items);
}

export const TOOL_SCHEMA = {
  type: 'object' as const,
  properties: {
    city: { type: 'string' },
    days: { type: 'integer' },
    kinds: { type: 'array', items: { type: 'string' } },
  },
  required: ['city', 'days', 'kinds'],
  additionalProperties: false,
}

/** Over the 1,024 tokens (4,096 for the newest models) from which providers cache. */
export const LONG_RULES =
  'Answer as the rules of the house say, and in the order of the house. '.repeat(320)
