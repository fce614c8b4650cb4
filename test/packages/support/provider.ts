import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

/** What each call of the provider below is billed for. */
export const USAGE = { prompt_tokens: 1000, completion_tokens: 50, total_tokens: 1050 }

/** Answers every chat completion with the same usage; gives `host:port`. */
export async function startSmallProvider(t: TestContext): Promise<string> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      response.setHeader('content-type', 'application/json').end(
        JSON.stringify({
          id: `chatcmpl-${crypto.randomUUID()}`,
          object: 'chat.completion',
          model: 'gpt-4o-mini',
          choices: [
            { index: 0, message: { role: 'assistant', content: 'Yes.' }, finish_reason: 'stop' },
          ],
          usage: USAGE,
        }),
      )
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return `127.0.0.1:${port}`
}
