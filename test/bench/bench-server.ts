import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

// A provider that costs as little as can be, in a process of its own: a fixed answer, or a stream as long as asked for.

const ANSWER = JSON.stringify({
  id: 'chatcmpl-',
  object: 'chat.completion',
  model: 'gpt-4o-mini',
  choices: [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 2000, completion_tokens: 1, total_tokens: 2001 },
})
/** Each answer has an id of its own: two with one id are one call, and count once. */
let answers = 0
const nextAnswer = () => ANSWER.replace('chatcmpl-', `chatcmpl-${++answers}`)
const event = (content: string) =>
  `data: ${JSON.stringify({ id: 'c', model: 'gpt-4o-mini', choices: [{ index: 0, delta: { content } }] })}\n\n`
const USAGE = `data: ${JSON.stringify({ id: 'c', model: 'gpt-4o-mini', choices: [], usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 } })}\n\n`
const EVENTS_A_WRITE = 32

async function stream(response: ServerResponse, events: number, bytesEach: number): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const text = event('x'.repeat(Math.max(1, bytesEach)))
  const several = Buffer.from(text.repeat(bytesEach > 1000 ? 1 : EVENTS_A_WRITE))
  const writes = Math.ceil(events / (bytesEach > 1000 ? 1 : EVENTS_A_WRITE))
  for (let write = 0; write < writes; write++) {
    if (!response.write(several)) await once(response, 'drain')
  }
  response.end(`${USAGE}data: [DONE]\n\n`)
}

const server = createServer((request, response) => {
  request.resume()
  request.on('end', () => {
    const { searchParams } = new URL(request.url ?? '/', 'http://localhost')
    const events = Number(searchParams.get('events') ?? 0)
    if (events > 0) void stream(response, events, Number(searchParams.get('bytes') ?? 4))
    else response.writeHead(200, { 'content-type': 'application/json' }).end(nextAnswer())
  })
})
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`)
})
