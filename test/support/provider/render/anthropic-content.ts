import type { OutputPart } from '../plan.ts'
import { seededRandom } from '../random.ts'
import type { Reply, StreamStep } from '../reply.ts'
import { wordsText } from '../words.ts'

/** One content block: as it opens in a stream, what its deltas carry, and as it stands when it is whole. */
export type Block = {
  readonly opening: object
  readonly whole: object
  /** Streamed in slices; null where the block comes at once. */
  readonly streamed: { readonly part: OutputPart; readonly delta: (text: string) => object } | null
  /** A last delta of its own, such as the signature of a thought. */
  readonly closing: object | null
  readonly bills: StreamStep['bills']
}

const SIGNATURE = 'EqoBCkgIBxABGAIiQL0n5VlR3dVZ4b0ZzV2hhdA=='
const THOUGHTS_SEED = 7

/** The blocks of an answer in order: summary, thoughts, server tools, then text and the app's tools. */
export function contentBlocks(reply: Reply): Block[] {
  const [choice] = reply.plan.choices
  if (!choice) return []
  const blocks = [
    ...(reply.compaction ? [compactionBlock(reply.compaction.output)] : []),
    ...(choice.reasoningTokens > 0 ? [thinkingBlock(choice.reasoningTokens)] : []),
    ...serverToolBlocks(reply),
    ...choice.parts.map(partBlock),
  ]
  return blocks
}

function wholeBlock(block: object, bills?: StreamStep['bills']): Block {
  return { opening: block, whole: block, streamed: null, closing: null, bills }
}

function compactionBlock(tokens: number): Block {
  const content = wordsText(tokens, seededRandom(THOUGHTS_SEED))
  return {
    opening: { type: 'compaction', content: null },
    whole: { type: 'compaction', content },
    streamed: null,
    closing: { type: 'compaction_delta', content },
    bills: undefined,
  }
}

function thinkingBlock(tokens: number): Block {
  const thinking = wordsText(tokens, seededRandom(THOUGHTS_SEED))
  return {
    opening: { type: 'thinking', thinking: '', signature: '' },
    whole: { type: 'thinking', thinking, signature: SIGNATURE },
    streamed: {
      part: { kind: 'text', text: thinking, tokens, wordwise: true },
      delta: (text) => ({ type: 'thinking_delta', thinking: text }),
    },
    closing: { type: 'signature_delta', signature: SIGNATURE },
    bills: undefined,
  }
}

/** What server tools add to the bill is billed with the last of their results. */
function serverToolBlocks(reply: Reply): Block[] {
  const { advisor, webSearches } = reply
  const blocks: Block[] = []
  const unique = reply.responseId.slice(6)
  for (let search = 0; search < webSearches; search++) {
    const id = `srvtoolu_01${unique}${search}`
    const input = { query: `subject ${search + 1}` }
    blocks.push(wholeBlock({ type: 'server_tool_use', id, name: 'web_search', input }))
    blocks.push(wholeBlock(searchResult(id), { webSearches: 1 }))
  }
  if (advisor) {
    const id = `srvtoolu_02${unique}`
    const text = wordsText(advisor.output, seededRandom(THOUGHTS_SEED))
    const content = { type: 'advisor_result', text }
    blocks.push(wholeBlock({ type: 'server_tool_use', id, name: 'advisor', input: {} }))
    const result = { type: 'advisor_tool_result', tool_use_id: id, content }
    blocks.push(wholeBlock(result, { extra: advisor }))
  }
  const last = blocks.pop()
  if (!last) return []
  const input = reply.tokens.input - reply.startTokens.input
  return [...blocks, { ...last, bills: { ...last.bills, input } }]
}

function searchResult(toolUseId: string): object {
  const found = {
    type: 'web_search_result',
    title: 'A page',
    url: 'https://example.com/page',
    encrypted_content: SIGNATURE,
    page_age: null,
  }
  return { type: 'web_search_tool_result', tool_use_id: toolUseId, content: [found] }
}

function partBlock(part: OutputPart): Block {
  if (part.kind === 'text') {
    return {
      opening: { type: 'text', text: '' },
      whole: { type: 'text', text: part.text },
      streamed: { part, delta: (text) => ({ type: 'text_delta', text }) },
      closing: null,
      bills: undefined,
    }
  }
  const frame = { type: 'tool_use', id: `toolu_01${part.id}`, name: part.name }
  return {
    opening: { ...frame, input: {} },
    whole: { ...frame, input: toolInput(part.json) },
    streamed: { part, delta: (text) => ({ type: 'input_json_delta', partial_json: text }) },
    closing: null,
    bills: undefined,
  }
}

/** Arguments that the limit cut are no JSON any more; a whole body then has none. */
function toolInput(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return {}
  }
}
