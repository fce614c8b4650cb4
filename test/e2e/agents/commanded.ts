import { createInterface } from 'node:readline'
import { withAgent } from '@tokenfuse/instrumentation'

// Does what it is told on standard input, one JSON object a line, and answers each with a line. The argument is the
// address of the stand-in.

export type CallCommand = {
  readonly agent: string
  readonly task?: string
  /** Left out of the request where it is not given. */
  readonly maxTokens?: number
  /** So many tokens the stand-in would answer with, if it may. */
  readonly output: number
  /** What goes wrong, as the stand-in knows it. */
  readonly fault?: string
  /** A tool was called before: its result is told, always the same, or another with every call. */
  readonly toolResult?: 'same' | 'new'
  /** So many calls, as long as none is refused. Default: one. */
  readonly times?: number
  /** Goes on until a call is refused. */
  readonly untilRefused?: boolean
}

/** How a call ended, the last one of several. */
export type CallResult = {
  readonly status: number
  readonly finish: string | null
  /** Of those that were answered. */
  readonly answered: number
  /** What the error says. */
  readonly message: string
  readonly decision: string | null
  readonly tookMs: number
}

type Command =
  | { readonly call: CallCommand }
  /** How far the wall clock is set forward. */
  | { readonly clockMs: number }

const MOST_CALLS = 1000
const url = process.argv[2] ?? ''
const moveClock = Reflect.get(globalThis, Symbol.for('tokenfuse.test.moveClock')) as (
  byMs: number,
) => void

async function call(command: CallCommand): Promise<CallResult> {
  const startMs = performance.now()
  for (let answered = 0; ;) {
    const { status, headers, text } = await send(command, answered)
    if (status === 200) answered++
    const wanted = command.untilRefused === true ? MOST_CALLS : (command.times ?? 1)
    if (status === 200 && answered < wanted) continue
    const body = JSON.parse(text) as {
      choices?: readonly { finish_reason: string }[]
      error?: { message: string }
    }
    return {
      status,
      finish: body.choices?.[0]?.finish_reason ?? null,
      answered,
      message: body.error?.message ?? '',
      decision: headers.get('x-tokenfuse-decision'),
      tookMs: performance.now() - startMs,
    }
  }
}

async function send(command: CallCommand, answered: number) {
  const { agent, task, maxTokens, output, fault, toolResult } = command
  const body = {
    model: 'gpt-4o-mini',
    messages: [
      { role: 'user', content: 'Tell me of rivers.' },
      ...(toolResult ? toolTurn(agent, toolResult === 'same' ? 'none' : `${answered}`) : []),
    ],
    ...(maxTokens !== undefined && { max_tokens: maxTokens }),
  }
  const headers = {
    authorization: 'Bearer none',
    'content-type': 'application/json',
    'x-stand-in-label': `${agent}/${task ?? ''}`,
    'x-stand-in-reply': JSON.stringify({ output, ...(fault !== undefined && { fault }) }),
  }
  return withAgent({ agent, task }, async () => {
    const request = { method: 'POST', headers, body: JSON.stringify(body) }
    const response = await fetch(`${url}/v1/chat/completions`, request)
    return { status: response.status, headers: response.headers, text: await response.text() }
  })
}

/** What an agent asked for first stays in its conversation, with the id that it had. */
function toolTurn(agent: string, content: string) {
  const id = `call_of_${agent}`
  const call = { id, type: 'function', function: { name: 'look', arguments: '{}' } }
  return [
    { role: 'assistant', content: null, tool_calls: [call] },
    { role: 'tool', tool_call_id: id, content },
  ]
}

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line) as Command
  let answer: unknown = null
  if ('call' in command) answer = await call(command.call)
  else moveClock(command.clockMs)
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
