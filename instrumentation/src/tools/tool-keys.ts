import type { Endpoint, RequestFacts } from '../providers/index.ts'
import { readRequest } from '../providers/index.ts'
import { canonicalJson } from './canonical.ts'
import { lastTurn } from './last-turn.ts'
import { normaliseResult } from './normalise.ts'

/** Keyed hashes of the tool calls and results that a request carries for the first time: no content, no order lost. */
export type ToolKeys = { readonly calls: readonly string[]; readonly results: readonly string[] }

export const NO_TOOL_KEYS: ToolKeys = Object.freeze({ calls: [], results: [] })

/** Of one kind in one request; the newest are kept. */
const KEYS_MAX = 32
/** Of one call's arguments or one result, in characters; what is longer is told apart by its beginning and length. */
const CONTENT_LENGTH_MAX = 65_536
const KEY_HEX_DIGITS = 16

export type ToolHasher = (endpoint: Endpoint, facts: RequestFacts) => ToolKeys

/**
 * The key of the hashes comes from the processor's token: every process of a tenant writes the same hash for the same
 * call, and who does not have the token cannot try out contents. Without a token the key is random, and hashes can be
 * compared within this process alone.
 * @param readToken asked once, for the first request that carries tools
 */
export function createToolHasher(readToken: () => string | null): ToolHasher {
  let key: Uint8Array | null = null
  const hash = (kind: string, text: string): string => {
    const crypto = process.getBuiltinModule('node:crypto')
    key ??= deriveKey(readToken() ?? crypto.randomBytes(32))
    return crypto
      .createHmac('sha256', key)
      .update(`${kind}\n${bounded(text)}`)
      .digest('hex')
      .slice(0, KEY_HEX_DIGITS)
  }
  return (endpoint, facts) => {
    const carriesTools = facts.toolCalls.length > 0 || facts.toolResults.length > 0
    if (facts.body === null || !carriesTools) return NO_TOOL_KEYS
    const turn = readRequest(endpoint, JSON.stringify(lastTurn(facts.body)))
    return {
      calls: turn.toolCalls
        .slice(-KEYS_MAX)
        .map((call) => hash('call', `${call.name}\n${canonicalJson(call.arguments)}`)),
      results: turn.toolResults
        .slice(-KEYS_MAX)
        .map((result) =>
          hash('result', normaliseResult(result.content.slice(0, CONTENT_LENGTH_MAX))),
        ),
    }
  }
}

function deriveKey(token: string | Uint8Array): Uint8Array {
  const crypto = process.getBuiltinModule('node:crypto')
  return crypto.createHmac('sha256', token).update('tokenfuse tool keys 1').digest()
}

function bounded(text: string): string {
  if (text.length <= CONTENT_LENGTH_MAX) return text
  return `${text.length}\n${text.slice(0, CONTENT_LENGTH_MAX)}`
}
