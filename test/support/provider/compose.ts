import { ApiError } from './api-error.ts'
import { NO_TOKENS, type Extra } from './bill.ts'
import type { Call } from './call.ts'
import { newId } from './ids.ts'
import { planOutput, type Plan, type PlanContext } from './plan.ts'
import type { InputTokens } from './prompt-cache.ts'
import { drawLognormal } from './random.ts'
import type { Reply } from './reply.ts'
import type { ReplyScript } from './script.ts'

const ID_PREFIXES: Readonly<Record<Call['endpoint'], string>> = {
  'openai.chat': 'chatcmpl-',
  'openai.responses': 'resp_',
  'openai.embeddings': 'embd-',
  'anthropic.messages': 'msg_01',
}
/** What the model reads of one search's results. */
const SEARCH_RESULT_TOKENS = { median: 2800, sigma: 0.3 }
const ADVISOR_OUTPUT_TOKENS = { median: 700, sigma: 0.6 }
const SUMMARY_TOKENS = { median: 500, sigma: 0.3 }
/** The advisor reads the conversation and a frame of its own. */
const ADVISOR_FRAME = 240
/** What the model writes to ask the advisor. */
export const ADVISOR_ASK_TOKENS = 35
/** What is left of the prompt beside its summary. */
const COMPACTED_PROMPT_TOKENS = 90

/** Decides the whole answer to a call, and what it costs when all of it is sent. */
export function composeReply(
  call: Call,
  script: ReplyScript,
  admitted: InputTokens,
  context: PlanContext,
): Reply {
  if (
    call.model.family !== 'anthropic' &&
    (script.advisor || script.compaction || script.webSearches)
  ) {
    throw new ApiError(400, 'The scripted reply has charges that this endpoint cannot state.')
  }
  const plan = call.embedding ? NO_PLAN : planOutput(call, script, context)
  const compaction = drawCompaction(call, script, admitted, context)
  const input = scriptedInput(script, compaction ? afterCompaction(compaction) : admitted)
  const advisor = drawAdvisor(call, script, input.input, context)
  const webSearches = script.webSearches ?? drawSearches(call, context)
  const startTokens = { ...NO_TOKENS, ...input }
  const added =
    script.input === undefined ? addedInput(input.input, advisor, webSearches, context) : 0
  return {
    call,
    plan,
    responseId: newId(ID_PREFIXES[call.endpoint]),
    createdAtS: Math.floor(Date.now() / 1000),
    startTokens,
    tokens: {
      ...startTokens,
      input: startTokens.input + added,
      output: plan.outputTokens,
      reasoning: plan.reasoningTokens,
    },
    compaction,
    advisor,
    webSearches,
  }
}

const NO_PLAN: Plan = { choices: [], outputTokens: 0, reasoningTokens: 0, wantedTokens: 0 }

function scriptedInput(script: ReplyScript, admitted: InputTokens): InputTokens {
  if (script.input === undefined) return admitted
  return {
    input: script.input,
    cached: script.cached ?? 0,
    cacheWrite5m: script.cacheWrite5m ?? 0,
    cacheWrite1h: script.cacheWrite1h ?? 0,
  }
}

function drawCompaction(
  call: Call,
  script: ReplyScript,
  admitted: InputTokens,
  { random }: PlanContext,
): Extra | null {
  const model = call.model.id
  if (script.compaction) return { kind: 'compaction', model, ...script.compaction }
  if (call.compactAbove === null || admitted.input <= call.compactAbove) return null
  const output = Math.round(drawLognormal(random, SUMMARY_TOKENS))
  return { kind: 'compaction', model, input: admitted.input, output }
}

/** The answer then reads the summary in place of the conversation; nothing of it is cached. */
function afterCompaction(compaction: Extra): InputTokens {
  const input = compaction.output + COMPACTED_PROMPT_TOKENS
  return { input, cached: 0, cacheWrite5m: 0, cacheWrite1h: 0 }
}

function drawAdvisor(
  call: Call,
  script: ReplyScript,
  input: number,
  { random }: PlanContext,
): Extra | null {
  if (script.advisor) return { kind: 'advisor', ...script.advisor }
  if (!call.advisor) return null
  const output = Math.round(drawLognormal(random, ADVISOR_OUTPUT_TOKENS))
  return { kind: 'advisor', model: call.advisor.id, input: input + ADVISOR_FRAME, output }
}

function drawSearches(call: Call, { random }: PlanContext): number {
  return call.webSearchUses === 0 ? 0 : 1 + Math.floor(random() * Math.min(call.webSearchUses, 3))
}

/** The prompt is read again after the advisor spoke, and search results are read once. */
function addedInput(
  input: number,
  advisor: Extra | null,
  webSearches: number,
  { random }: PlanContext,
): number {
  let added = advisor ? input + ADVISOR_ASK_TOKENS + advisor.output : 0
  for (let search = 0; search < webSearches; search++) {
    added += Math.round(drawLognormal(random, SEARCH_RESULT_TOKENS))
  }
  return added
}
