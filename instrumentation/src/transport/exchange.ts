import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { HttpClient, OpenRequest } from './http-client.ts'

export type ExchangeRequest = OpenRequest & {
  readonly body: Uint8Array | string
  /** For the whole exchange, from connect to the last byte. */
  readonly timeoutMs: number
  /** Bytes of the answer that are kept. */
  readonly maxAnswerBytes: number
}

export type Answer = {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** The body was longer than kept, or broke off. The status holds all the same. */
  readonly truncated: boolean
}

/** One request and its answer, whatever its status. Rejects only where no status came back. */
export async function exchange(client: HttpClient, request: ExchangeRequest): Promise<Answer> {
  const first = await attempt(client, request)
  if ('answer' in first) return first.answer
  // The server closed a socket that it had kept open just as we wrote to it: it has not seen the request.
  const second = first.reusedSocket ? await attempt(client, request) : first
  if ('answer' in second) return second.answer
  throw second.error
}

type Attempt =
  | { readonly answer: Answer }
  | { readonly error: Error; readonly reusedSocket: boolean }

function attempt(client: HttpClient, request: ExchangeRequest): Promise<Attempt> {
  return new Promise((resolve, reject) => {
    const outgoing = client.open(request)
    const timer = setTimeout(() => {
      outgoing.destroy(new Error(`no answer within ${request.timeoutMs} ms`))
    }, request.timeoutMs)
    if (!request.holdsProcess) timer.unref()

    let answering = false
    let failure: NodeJS.ErrnoException = new Error('the connection was closed before an answer')
    outgoing.on('error', (error) => {
      failure = error
    })
    outgoing.on('response', (incoming) => {
      answering = true
      collect(incoming, request.maxAnswerBytes, (answer) => {
        clearTimeout(timer)
        resolve({ answer })
        // What is left of an answer that is too long would keep the socket from its next request.
        if (answer.truncated) outgoing.destroy()
      })
    })
    // Comes after an error too, and also where neither answer nor error came.
    outgoing.on('close', () => {
      if (answering) return
      clearTimeout(timer)
      resolve({ error: failure, reusedSocket: wasClosedWhileIdle(outgoing, failure) })
    })
    try {
      outgoing.end(request.body)
    } catch (error) {
      clearTimeout(timer)
      outgoing.destroy()
      reject(error)
    }
  })
}

const wasClosedWhileIdle = (request: ClientRequest, failure: NodeJS.ErrnoException) =>
  request.reusedSocket && (failure.code === 'ECONNRESET' || failure.code === 'EPIPE')

function collect(
  incoming: IncomingMessage,
  maxBytes: number,
  done: (answer: Answer) => void,
): void {
  const chunks: Buffer[] = []
  let bytes = 0
  const finish = (truncated: boolean) =>
    done({
      status: incoming.statusCode ?? 0,
      headers: incoming.headers,
      body: Buffer.concat(chunks),
      truncated,
    })
  incoming.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= maxBytes) chunks.push(chunk)
    else finish(true)
  })
  incoming.on('end', () => finish(bytes > maxBytes))
  incoming.on('error', () => finish(true))
  incoming.on('close', () => finish(!incoming.complete || bytes > maxBytes))
}
