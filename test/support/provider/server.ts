import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { serveAdmin } from './admin.ts'
import { ApiError, errorBody } from './api-error.ts'
import type { ProviderConfig } from './config.ts'
import { ENDPOINTS, readBody } from './request.ts'
import { serveCall } from './serve-call.ts'
import { StandIn } from './stand-in.ts'

/** A stand-in provider; the caller lets it listen, on the loopback interface only. */
export function createProvider(config: ProviderConfig): Server {
  const standIn = new StandIn(config)
  const server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
    serve(standIn, request, response).catch((error: unknown) => {
      process.stderr.write(`stand-in: ${error instanceof Error ? error.stack : String(error)}\n`)
      response.destroy()
    })
  })
  // Resets that clients make are part of the work.
  server.on('clientError', (_error, socket) => socket.destroy())
  return server
}

async function serve(
  standIn: StandIn,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = request.url?.split('?')[0] ?? ''
  if (path.startsWith('/_')) return serveAdmin(standIn, request, response)
  const endpoint = request.method === 'POST' ? ENDPOINTS[path] : undefined
  if (endpoint) return serveCall(standIn, endpoint, request, response)
  if (request.method === 'POST' && path === '/v1/messages/count_tokens') {
    return countTokens(standIn, request, response)
  }
  const error = new ApiError(404, `Invalid URL (${request.method} ${path})`)
  const headers = { 'content-type': 'application/json' }
  response.writeHead(404, headers).end(errorBody('openai', error, ''))
}

/** Free of charge, and so no line in the ledger. */
async function countTokens(
  standIn: StandIn,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = { max_tokens: 1, ...(await readBody(request)) }
  const model = String((body as { model?: unknown }).model)
  const { segments, hiddenTokens } = standIn.read('anthropic.messages', body, model, standIn.config)
  const tokens = segments.reduce((total, segment) => total + segment.tokens, hiddenTokens)
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ input_tokens: tokens }))
}
