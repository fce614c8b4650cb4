import {
  type CallContext,
  COMPLETED,
  drain,
  LONG_RULES,
  must,
  type Scenario,
  TOOL_SCHEMA,
} from './asked.ts'

const MODEL = 'gpt-4o-mini'
const user = (subject: string) => [{ role: 'user' as const, content: subject }]
const chatTool = {
  type: 'function' as const,
  function: { name: 'weather', description: 'The weather.', parameters: TOOL_SCHEMA, strict: true },
}

export const OPENAI_SCENARIOS: readonly Scenario[] = [
  {
    name: 'chat',
    weight: 12,
    ending: COMPLETED,
    async run({ openai, subject, asking }) {
      await openai.chat.completions.create({ model: MODEL, messages: user(subject) }, asking())
    },
  },
  {
    name: 'chat stream, usage not asked for',
    weight: 10,
    ending: COMPLETED,
    run: (call) => streamChat(call, 'gpt-4o', false),
  },
  {
    name: 'chat stream, usage asked for by the app',
    weight: 6,
    ending: COMPLETED,
    run: (call) => streamChat(call, MODEL, true),
  },
  {
    name: 'chat stream, gzip',
    weight: 3,
    ending: COMPLETED,
    async run({ openai, subject, asking }) {
      const options = asking({ config: { gzip: 'accepted' } })
      const ask = { model: MODEL, messages: user(subject), stream: true as const }
      await drain(await openai.chat.completions.create(ask, options))
    },
  },
  {
    name: 'chat with tools, two turns',
    weight: 5,
    ending: COMPLETED,
    async run({ openai, subject, asking }) {
      const ask = { model: 'gpt-4o', messages: user(subject), tools: [chatTool] }
      const first = await openai.chat.completions.create(
        { ...ask, tool_choice: 'required' },
        asking(),
      )
      const message = first.choices[0]?.message
      must((message?.tool_calls?.length ?? 0) > 0, 'a tool call')
      if (!message) return
      const results = (message.tool_calls ?? []).map(({ id }) => ({
        role: 'tool' as const,
        tool_call_id: id,
        content: `fine for ${subject}`,
      }))
      await openai.chat.completions.create(
        { ...ask, messages: [...ask.messages, message, ...results] },
        asking(),
      )
    },
  },
  {
    name: 'chat stream with tools, by the helper',
    weight: 3,
    ending: COMPLETED,
    async run({ openai, subject, asking }) {
      const ask = { model: MODEL, messages: user(subject), tools: [chatTool] }
      const stream = openai.chat.completions.stream({ ...ask, tool_choice: 'required' }, asking())
      const answer = await stream.finalChatCompletion()
      must(answer.choices[0]?.finish_reason === 'tool_calls', 'a tool call')
    },
  },
  {
    name: 'chat with a cached prompt',
    weight: 4,
    ending: COMPLETED,
    async run({ openai, subject, asking }) {
      const messages = [{ role: 'system' as const, content: LONG_RULES }, ...user(subject)]
      await openai.chat.completions.create({ model: 'gpt-4o', messages }, asking())
    },
  },
  {
    name: 'chat, three choices',
    weight: 2,
    ending: COMPLETED,
    async run({ openai, subject, asking }) {
      const ask = { model: MODEL, messages: user(subject), n: 3, max_tokens: 60 }
      await openai.chat.completions.create(ask, asking())
    },
  },
  {
    name: 'chat, reasoning',
    weight: 3,
    ending: COMPLETED,
    async run({ openai, subject, asking }) {
      const ask = { model: 'o4-mini', messages: user(subject), max_completion_tokens: 900 }
      await openai.chat.completions.create(ask, asking())
    },
  },
  {
    name: 'chat, flex tier',
    weight: 2,
    ending: COMPLETED,
    async run({ openai, subject, asking }) {
      const ask = { model: 'gpt-5-mini', messages: user(subject), service_tier: 'flex' as const }
      await openai.chat.completions.create(ask, asking())
    },
  },
  {
    name: 'embeddings',
    weight: 3,
    ending: COMPLETED,
    async run({ openai, subject, asking }) {
      const ask = { model: 'text-embedding-3-small', input: [subject, `more on ${subject}`] }
      await openai.embeddings.create(ask, asking())
    },
  },
  {
    name: 'responses',
    weight: 6,
    ending: COMPLETED,
    async run({ openai, subject, asking }) {
      await openai.responses.create({ model: 'gpt-4o', input: subject }, asking())
    },
  },
  {
    name: 'responses stream',
    weight: 5,
    ending: COMPLETED,
    async run({ openai, subject, asking }) {
      await openai.responses.stream({ model: MODEL, input: subject }, asking()).finalResponse()
    },
  },
  {
    name: 'responses stream, cut by its limit',
    weight: 2,
    ending: COMPLETED,
    async run({ openai, subject, asking }) {
      const ask = { model: MODEL, input: subject, max_output_tokens: 24 }
      const stream = openai.responses.stream(ask, asking({ reply: { output: 200 } }))
      must((await stream.finalResponse()).status === 'incomplete', 'an incomplete response')
    },
  },
  {
    name: 'responses with tools, reasoning',
    weight: 3,
    ending: COMPLETED,
    async run({ openai, subject, asking }) {
      const { description, name, parameters, strict } = chatTool.function
      const tool = { type: 'function' as const, name, description, parameters, strict }
      await openai.responses.create({ model: 'o4-mini', input: subject, tools: [tool] }, asking())
    },
  },
  {
    name: 'responses, going on from the last',
    weight: 2,
    ending: COMPLETED,
    async run({ openai, subject, asking }) {
      const first = await openai.responses.create({ model: MODEL, input: subject }, asking())
      const next = { model: MODEL, input: 'And then?', previous_response_id: first.id }
      await openai.responses.create(next, asking())
    },
  },
]

async function streamChat(
  { openai, subject, asking }: CallContext,
  model: string,
  asked: boolean,
): Promise<void> {
  const stream = await openai.chat.completions.create(
    {
      model,
      messages: user(subject),
      stream: true,
      ...(asked ? { stream_options: { include_usage: true } } : {}),
    },
    asking(),
  )
  let usageChunks = 0
  for await (const chunk of stream) if (chunk.choices.length === 0) usageChunks++
  must(usageChunks === (asked ? 1 : 0), asked ? 'its usage chunk' : 'no chunk without choices')
}
