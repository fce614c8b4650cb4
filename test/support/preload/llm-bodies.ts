/** A chat completion of 12 + 5 tokens. */
export const CHAT_BODY = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-4o-mini-2024-07-18',
  choices: [
    { index: 0, message: { role: 'assistant', content: 'Hello there.' }, finish_reason: 'stop' },
  ],
  usage: { prompt_tokens: 12, completion_tokens: 5, total_tokens: 17 },
}

/**
 * The events of a streamed chat completion, one a word, 12 tokens in and one a word out; the usage event only where
 * asked for, as the provider does.
 */
export function chatEvents(words: readonly string[], withUsage: boolean): string[] {
  const chunk = (rest: object) => {
    const head = { id: 'chatcmpl-2', object: 'chat.completion.chunk', created: 1 }
    return `data: ${JSON.stringify({ ...head, model: 'gpt-4o-mini-2024-07-18', ...rest })}\n\n`
  }
  const output = words.length
  const usage = { prompt_tokens: 12, completion_tokens: output, total_tokens: 12 + output }
  return [
    ...words.map((content) =>
      chunk({ choices: [{ index: 0, delta: { content }, finish_reason: null }] }),
    ),
    chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }),
    ...(withUsage ? [chunk({ choices: [], usage })] : []),
    'data: [DONE]\n\n',
  ]
}

/** A message of 20 + 30 cached and 7 tokens. */
export const ANTHROPIC_BODY = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-3-5-sonnet-20241022',
  content: [{ type: 'text', text: 'Hello there.' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: {
    input_tokens: 20,
    cache_read_input_tokens: 30,
    cache_creation_input_tokens: 0,
    output_tokens: 7,
  },
}

/** The same as a stream. */
export function anthropicEvents(words: readonly string[]): string[] {
  const event = (data: { type: string } & Record<string, unknown>) =>
    `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`
  const { usage, ...message } = ANTHROPIC_BODY
  return [
    event({
      type: 'message_start',
      message: {
        ...message,
        id: 'msg_2',
        content: [],
        stop_reason: null,
        usage: { ...usage, output_tokens: 1 },
      },
    }),
    event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
    ...words.map((text) =>
      event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }),
    ),
    event({ type: 'content_block_stop', index: 0 }),
    event({
      type: 'message_delta',
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: words.length },
    }),
    event({ type: 'message_stop' }),
  ]
}

/** A response of 40 tokens, 8 of them cached, and 9 tokens, 4 of them reasoning. */
export const RESPONSES_BODY = {
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  status: 'completed',
  model: 'gpt-4o-mini-2024-07-18',
  error: null,
  output: [
    {
      type: 'message',
      id: 'm_1',
      status: 'completed',
      role: 'assistant',
      content: [{ type: 'output_text', text: 'Hello.', annotations: [] }],
    },
  ],
  usage: {
    input_tokens: 40,
    input_tokens_details: { cached_tokens: 8 },
    output_tokens: 9,
    output_tokens_details: { reasoning_tokens: 4 },
    total_tokens: 49,
  },
}
