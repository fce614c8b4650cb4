import {
  ABORTED,
  type Asked,
  type CallContext,
  COMPLETED,
  CUT,
  drain,
  FAILED,
  mustFail,
  must,
  type Scenario,
  WITHOUT_USAGE,
} from './asked.ts'

const user = (subject: string) => [{ role: 'user' as const, content: subject }]
/** Silence after 24 tokens, so that it is known what had been generated when the app went away. */
const STALL: Asked = { fault: 'stall:24', reply: { output: 80 } }
/** Of four tokens each. */
const EVENTS_BEFORE_STALL = 6

export const BROKEN_SCENARIOS: readonly Scenario[] = [
  {
    name: 'chat stream, aborted',
    weight: 3,
    ending: ABORTED,
    async run({ openai, subject, asking }) {
      const ask = { model: 'gpt-4o', messages: user(subject), stream: true as const }
      let seen = 0
      for await (const chunk of await openai.chat.completions.create(ask, asking(STALL))) {
        if (chunk.choices[0]?.delta.content) seen++
        if (seen === EVENTS_BEFORE_STALL) break
      }
    },
  },
  {
    name: 'responses stream, aborted',
    weight: 2,
    ending: ABORTED,
    async run({ openai, subject, asking }) {
      const stream = await openai.responses.create(
        { model: 'gpt-4o', input: subject, stream: true },
        asking(STALL),
      )
      let seen = 0
      for await (const event of stream) {
        if (event.type === 'response.output_text.delta') seen++
        if (seen === EVENTS_BEFORE_STALL) break
      }
    },
  },
  {
    name: 'messages stream, aborted',
    weight: 3,
    ending: ABORTED,
    async run({ anthropic, subject, asking }) {
      const ask = { model: 'claude-3-5-sonnet-latest', max_tokens: 500, messages: user(subject) }
      const stream = await anthropic.messages.create({ ...ask, stream: true }, asking(STALL))
      let seen = 0
      for await (const event of stream) {
        if (event.type === 'content_block_delta') seen++
        if (seen === EVENTS_BEFORE_STALL) break
      }
    },
  },
  {
    name: 'chat, aborted before an answer',
    weight: 1,
    ending: ABORTED,
    async run({ openai, subject, asking, arrived }) {
      const ask = { model: 'gpt-4o-mini', messages: user(subject) }
      const leaving = new AbortController()
      const options = { ...asking({ fault: 'delay:60000' }), signal: leaving.signal }
      const call = mustFail(openai.chat.completions.create(ask, options))
      await arrived()
      leaving.abort()
      await call
    },
  },
  ...['429:0.02x1', '429:0.02x2', '500:0.02x1', 'resetx1'].map((fault): Scenario => ({
    name: `chat, retried after ${fault.split(/[:x]/)[0]}${fault.endsWith('x2') ? ' twice' : ''}`,
    weight: 2,
    ending: COMPLETED,
    async run({ openai, subject, asking }) {
      const ask = { model: 'gpt-4o-mini', messages: user(subject) }
      await openai.chat.completions.create(ask, asking({ fault }))
    },
  })),
  {
    name: 'messages stream, retried after 529',
    weight: 2,
    ending: COMPLETED,
    async run({ anthropic, subject, asking }) {
      const ask = { model: 'claude-3-haiku', max_tokens: 400, messages: user(subject) }
      await anthropic.messages.stream(ask, asking({ fault: '529:0.02x1' })).finalMessage()
    },
  },
  {
    name: 'chat, refused for good',
    weight: 1,
    ending: FAILED,
    async run({ openai, subject, asking }) {
      const ask = { model: 'o4-mini', messages: user(subject), max_tokens: 50 }
      await mustFail(openai.chat.completions.create(ask, asking()))
    },
  },
  {
    name: 'chat, failed for good',
    weight: 1,
    ending: FAILED,
    async run({ openai, subject, asking }) {
      const ask = { model: 'gpt-4o-mini', messages: user(subject) }
      const options = { ...asking({ fault: '500' }), maxRetries: 0 }
      await mustFail(openai.chat.completions.create(ask, options))
    },
  },
  {
    name: 'chat stream, connection cut',
    weight: 2,
    ending: CUT,
    run: (call) => breakChat(call, 'cut:40', true),
  },
  {
    name: 'chat stream, without its end',
    weight: 2,
    ending: CUT,
    run: (call) => breakChat(call, 'no-end', false),
  },
  {
    name: 'chat stream, error on the way',
    weight: 1,
    ending: FAILED,
    run: (call) => breakChat(call, 'error:40', true),
  },
  {
    name: 'messages stream, connection cut',
    weight: 2,
    ending: CUT,
    run: (call) => breakMessages(call, 'cut:40'),
  },
  {
    name: 'messages stream, error on the way',
    weight: 1,
    ending: FAILED,
    run: (call) => breakMessages(call, 'error:40'),
  },
  {
    name: 'responses stream, error on the way',
    weight: 1,
    ending: FAILED,
    async run({ openai, subject, asking }) {
      const options = asking({ fault: 'error:40', reply: { output: 90 } })
      const stream = openai.responses.stream({ model: 'gpt-4o', input: subject }, options)
      await mustFail(stream.finalResponse())
    },
  },
  {
    name: 'chat, body cut',
    weight: 1,
    ending: CUT,
    async run({ openai, subject, asking }) {
      const ask = { model: 'gpt-4o-mini', messages: user(subject) }
      const options = { ...asking({ fault: 'cut', reply: { output: 90 } }), maxRetries: 0 }
      await mustFail(openai.chat.completions.create(ask, options))
    },
  },
  {
    name: 'chat, length wrong but usage whole',
    weight: 1,
    ending: { outcome: 'cut', usageSent: true },
    async run({ openai, subject, asking }) {
      const ask = { model: 'gpt-4o-mini', messages: user(subject) }
      const options = { ...asking({ fault: 'wrong-length' }), maxRetries: 0 }
      await mustFail(openai.chat.completions.create(ask, options))
    },
  },
  {
    name: 'chat stream, host without usage',
    weight: 2,
    ending: WITHOUT_USAGE,
    async run({ quietOpenai, subject, asking }) {
      const ask = { model: 'gpt-4o-mini', messages: user(subject), stream: true as const }
      await drain(await quietOpenai.chat.completions.create(ask, asking()))
    },
  },
  {
    name: 'chat stream, host that refuses the question',
    weight: 2,
    ending: WITHOUT_USAGE,
    async run({ strictOpenai, subject, asking }) {
      const ask = { model: 'gpt-4o-mini', messages: user(subject), stream: true as const }
      await drain(await strictOpenai.chat.completions.create(ask, asking()))
    },
  },
]

async function breakChat(
  { openai, subject, asking }: CallContext,
  fault: string,
  seenByApp: boolean,
): Promise<void> {
  const ask = { model: 'gpt-4o', messages: user(subject), stream: true as const }
  const stream = await openai.chat.completions.create(ask, asking({ fault, reply: { output: 90 } }))
  if (seenByApp) return mustFail(drain(stream))
  let finished = false
  for await (const chunk of stream) if (chunk.choices[0]?.finish_reason) finished = true
  must(finished, 'the finish reason')
}

async function breakMessages(
  { anthropic, subject, asking }: CallContext,
  fault: string,
): Promise<void> {
  const ask = { model: 'claude-3-haiku', max_tokens: 400, messages: user(subject) }
  const options = asking({ fault, reply: { output: 90 } })
  await mustFail(drain(await anthropic.messages.create({ ...ask, stream: true }, options)))
}
