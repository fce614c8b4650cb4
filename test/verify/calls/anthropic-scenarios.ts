import type Anthropic from '@anthropic-ai/sdk'
import { COMPLETED, LONG_RULES, must, type Scenario, TOOL_SCHEMA } from './asked.ts'

const SONNET = 'claude-3-5-sonnet-latest'
const HAIKU = 'claude-3-haiku'
const user = (subject: string) => [{ role: 'user' as const, content: subject }]
const tool = { name: 'weather', description: 'The weather.', input_schema: TOOL_SCHEMA }

export const ANTHROPIC_SCENARIOS: readonly Scenario[] = [
  {
    name: 'messages',
    weight: 7,
    ending: COMPLETED,
    async run({ anthropic, subject, asking }) {
      const ask = { model: SONNET, max_tokens: 1000, messages: user(subject) }
      await anthropic.messages.create(ask, asking())
    },
  },
  {
    name: 'messages stream',
    weight: 7,
    ending: COMPLETED,
    async run({ anthropic, subject, asking }) {
      const ask = { model: HAIKU, max_tokens: 1000, messages: user(subject) }
      await anthropic.messages.stream(ask, asking()).finalMessage()
    },
  },
  {
    name: 'messages stream, cut by its limit',
    weight: 2,
    ending: COMPLETED,
    async run({ anthropic, subject, asking }) {
      const ask = { model: HAIKU, max_tokens: 30, messages: user(subject) }
      const stream = anthropic.messages.stream(ask, asking({ reply: { output: 200 } }))
      must((await stream.finalMessage()).stop_reason === 'max_tokens', 'a limited message')
    },
  },
  {
    name: 'messages with tools, two turns',
    weight: 3,
    ending: COMPLETED,
    async run({ anthropic, subject, asking }) {
      const ask = { model: SONNET, max_tokens: 1000, messages: user(subject), tools: [tool] }
      const first = await anthropic.messages.create(
        { ...ask, tool_choice: { type: 'any' } },
        asking(),
      )
      const results = first.content.flatMap((block): Anthropic.ToolResultBlockParam[] =>
        block.type === 'tool_use'
          ? [{ type: 'tool_result', tool_use_id: block.id, content: `fine for ${subject}` }]
          : [],
      )
      must(results.length > 0, 'a tool call')
      const messages: Anthropic.MessageParam[] = [
        ...ask.messages,
        { role: 'assistant', content: first.content },
        { role: 'user', content: results },
      ]
      await anthropic.messages.create({ ...ask, messages }, asking())
    },
  },
  {
    name: 'messages, cache of five minutes and an hour',
    weight: 4,
    ending: COMPLETED,
    async run({ anthropic, subject, asking }) {
      const topic = subject.split(' ')[0] ?? ''
      const system: Anthropic.TextBlockParam[] = [
        { type: 'text', text: LONG_RULES, cache_control: { type: 'ephemeral', ttl: '1h' } },
        {
          type: 'text',
          text: `On ${topic}. ${LONG_RULES}`,
          cache_control: { type: 'ephemeral' },
        },
      ]
      const ask = { model: SONNET, max_tokens: 500, system, messages: user(subject) }
      await anthropic.messages.stream(ask, asking()).finalMessage()
    },
  },
  {
    name: 'messages, thinking',
    weight: 2,
    ending: COMPLETED,
    async run({ anthropic, subject, asking }) {
      await anthropic.messages
        .stream(
          {
            model: 'claude-haiku-4-5',
            max_tokens: 3000,
            thinking: { type: 'enabled', budget_tokens: 1500 },
            messages: user(subject),
          },
          asking(),
        )
        .finalMessage()
    },
  },
  {
    name: 'messages, web search',
    weight: 2,
    ending: COMPLETED,
    async run({ anthropic, subject, asking }) {
      await anthropic.messages
        .stream(
          {
            model: 'claude-sonnet-4-6',
            max_tokens: 1000,
            tools: [{ type: 'web_search_20250305', name: 'web_search', max_uses: 2 }],
            messages: user(subject),
          },
          asking(),
        )
        .finalMessage()
    },
  },
  {
    name: 'messages, advisor',
    weight: 2,
    ending: COMPLETED,
    async run({ anthropic, subject, asking }) {
      const ask: Anthropic.Beta.MessageCreateParamsNonStreaming = {
        model: 'claude-sonnet-4-6',
        max_tokens: 1000,
        betas: ['advisor-tool-2026-03-01'],
        tools: [{ type: 'advisor_20260301', name: 'advisor', model: 'claude-opus-4-7' }],
        messages: user(subject),
      }
      await anthropic.beta.messages.create(ask, asking())
    },
  },
  {
    name: 'messages stream, compaction',
    weight: 2,
    ending: COMPLETED,
    async run({ anthropic, subject, asking }) {
      await anthropic.beta.messages
        .stream(
          {
            model: 'claude-opus-4-7',
            max_tokens: 1000,
            betas: ['compact-2026-01-12'],
            context_management: {
              edits: [{ type: 'compact_20260112', trigger: { type: 'input_tokens', value: 1000 } }],
            },
            messages: user(`${subject}: ${LONG_RULES}`),
          },
          asking(),
        )
        .finalMessage()
    },
  },
]
