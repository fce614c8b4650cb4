import Anthropic from '@anthropic-ai/sdk'
import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import { ChatOpenAI } from '@langchain/openai'
import { withAgent } from '@tokenfuse/instrumentation'
import { generateText, streamText } from 'ai'
import OpenAI from 'openai'

// Asks by each SDK with its defaults, once in each way, and prints how each attempt ended, one JSON object a line.
// The argument is the address of the stand-in.

/** How an attempt ended; an `error` of null is an answer. */
export type Attempt = {
  readonly name: string
  readonly error: string | null
  readonly status: number | null
  readonly message: string
  readonly decision: string | null
}

const url = process.argv[2] ?? ''
const prompt = 'Tell me of rivers.'
const messages = [{ role: 'user' as const, content: prompt }]
const openai = new OpenAI({ baseURL: `${url}/v1` })
const anthropic = new Anthropic({ baseURL: url })
const viaOpenai = createOpenAI({ baseURL: `${url}/v1` })
const viaAnthropic = createAnthropic({ baseURL: `${url}/v1` })
const langchain = new ChatOpenAI({ model: 'gpt-4o-mini', configuration: { baseURL: `${url}/v1` } })
const chat = { model: 'gpt-4o-mini', messages }
const message = { model: 'claude-3-5-sonnet-latest', max_tokens: 500, messages }

const ATTEMPTS: Readonly<Record<string, () => Promise<unknown>>> = {
  'openai chat': () => openai.chat.completions.create(chat),
  'openai chat stream': async () =>
    drain(await openai.chat.completions.create({ ...chat, stream: true })),
  'openai responses': () => openai.responses.create({ model: 'gpt-4o-mini', input: prompt }),
  anthropic: () => anthropic.messages.create(message),
  'anthropic stream': () => anthropic.messages.stream(message).finalMessage(),
  'ai openai': () => generateText({ model: viaOpenai('gpt-4o-mini'), prompt }),
  'ai openai stream': () => streamed(viaOpenai.chat('gpt-4o-mini')),
  'ai anthropic': () => generateText({ model: viaAnthropic('claude-3-5-sonnet-latest'), prompt }),
  'ai anthropic stream': () => streamed(viaAnthropic('claude-3-5-sonnet-latest')),
  langchain: () => langchain.invoke(prompt),
  'langchain stream': async () => drain(await langchain.stream(prompt)),
  fetch: async () => {
    const body = JSON.stringify(chat)
    const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body })
    if (response.ok) return response.json()
    const { status, headers } = response
    throw Object.assign(new Error(await response.text()), { status, headers })
  },
}

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}

/** A stream of `ai` tells its errors on the way instead of throwing them. */
async function streamed(model: Parameters<typeof streamText>[0]['model']): Promise<void> {
  const failures: Error[] = []
  const { fullStream } = streamText({
    model,
    prompt,
    onError: ({ error }) => void failures.push(error as Error),
  })
  await drain(fullStream)
  const [failure] = failures
  if (failure) throw failure
}

async function attempt(name: string, run: () => Promise<unknown>): Promise<Attempt> {
  try {
    await withAgent({ agent: name }, run)
    return { name, error: null, status: null, message: '', decision: null }
  } catch (error) {
    const {
      status = null,
      statusCode = status,
      headers,
      responseHeaders,
    } = error as {
      status?: number
      statusCode?: number
      headers?: Headers
      responseHeaders?: Record<string, string>
    }
    const decision =
      headers?.get('x-tokenfuse-decision') ?? responseHeaders?.['x-tokenfuse-decision'] ?? null
    const { name: kind, message } = error as Error
    const shown = kind === 'Error' ? (error as Error).constructor.name : kind
    return { name, error: shown, status: statusCode, message, decision }
  }
}

for (const [name, run] of Object.entries(ATTEMPTS)) {
  process.stdout.write(`${JSON.stringify(await attempt(name, run))}\n`)
}
