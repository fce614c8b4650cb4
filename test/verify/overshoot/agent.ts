import { once } from 'node:events'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { countedFetch } from './counted-fetch.ts'
import {
  type AgentPlan,
  CALLERS_EACH,
  CALLS_OF_CALLER,
  GROWN_ANSWERS,
  isGrown,
  type Kind,
  kindOf,
  labelOf,
  type MadeCall,
} from './load.ts'

// One agent of the load as a process of its own: eight callers that make their calls one after the other through the
// real SDKs. It says when it is ready, waits for a word, and then prints a line of JSON for each call that is over, so
// that a killed agent's calls are known too.

const PROMPT =
  'Say what the matter is, who has to know of it and by when, in words that a colleague from another house can ' +
  'follow. Name what is certain first, then what is likely, then what nobody knows yet. Leave out what was said ' +
  'before, and leave out praise. Where figures help, give them with their units and say where they come from. '
const PARAMETERS = {
  type: 'object' as const,
  properties: { city: { type: 'string' }, days: { type: 'integer' }, detail: { type: 'string' } },
  required: ['city', 'days', 'detail'],
}
const TOOL = { name: 'forecast', description: 'The weather of the next days in a city.' }

const plan = JSON.parse(process.argv[2] ?? '') as AgentPlan
const own = plan.counterUrl === null ? {} : { fetch: countedFetch(plan.counterUrl) }
const openai = new OpenAI({ baseURL: `${plan.url}/v1`, ...own })
const anthropic = new Anthropic({ baseURL: plan.url, ...own })

async function ask(kind: Kind, label: string): Promise<void> {
  const grown = { 'x-stand-in-config': JSON.stringify(GROWN_ANSWERS) }
  const options = { headers: { 'x-stand-in-label': label, ...(isGrown(label) && grown) } }
  const messages = [{ role: 'user' as const, content: `${PROMPT}This is about matter ${label}.` }]
  if (kind.family === 'anthropic') {
    const request = {
      model: 'claude-3-5-sonnet-latest',
      max_tokens: kind.maxTokens ?? 1,
      messages,
      ...(kind.tools && { tools: [{ ...TOOL, input_schema: PARAMETERS }] }),
    }
    if (kind.stream)
      await drain(await anthropic.messages.create({ ...request, stream: true }, options))
    else await anthropic.messages.create(request, options)
    return
  }
  const tool = { type: 'function' as const, function: { ...TOOL, parameters: PARAMETERS } }
  const request = {
    model: 'gpt-4o',
    messages,
    ...(kind.maxTokens !== null && { max_tokens: kind.maxTokens }),
    ...(kind.tools && { tools: [tool] }),
  }
  if (kind.stream)
    await drain(await openai.chat.completions.create({ ...request, stream: true }, options))
  else await openai.chat.completions.create(request, options)
}

async function drain(events: AsyncIterable<unknown>): Promise<void> {
  for await (const _event of events);
}

const nowMs = () => performance.timeOrigin + performance.now()

async function makeCall(caller: number, index: number): Promise<void> {
  // From within, so that it depends on nobody else's speed how far the calls are.
  if (caller === 0 && index === plan.diesBefore) process.kill(process.pid, 'SIGKILL')
  const label = labelOf(plan.agent, caller, index)
  const startedAt = nowMs()
  const tell = (outcome: MadeCall['outcome'], error: string | null) => {
    const made: MadeCall = { label, startedAt, endedAt: nowMs(), outcome, error }
    process.stdout.write(`${JSON.stringify(made)}\n`)
  }
  try {
    await ask(kindOf(plan.agent, caller, index), label)
    tell('answered', null)
  } catch (error) {
    const isRefusal =
      error instanceof OpenAI.RateLimitError || error instanceof Anthropic.RateLimitError
    tell(isRefusal ? 'refused' : 'failed', String(error))
  }
}

process.stdout.write('"ready"\n')
await once(process.stdin, 'data')
process.stdin.destroy()
await Promise.all(
  Array.from({ length: CALLERS_EACH }, async (_, caller) => {
    for (let index = 0; index < CALLS_OF_CALLER; index++) await makeCall(caller, index)
  }),
)
