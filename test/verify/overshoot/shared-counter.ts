import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

export type CounterAsk = { readonly inputTokens: number; readonly maxTokens: number | null }
export type CounterAnswer = { readonly isAllowed: boolean; readonly reserved: number }
export type CounterSettlement = {
  readonly reserved: number
  readonly inputTokens: number
  readonly outputTokens: number
}

/** The two usual ways to keep a budget with a counter that all processes share. */
export type CounterRule = 'check then increment' | 'reserve the 95th percentile'

const OUTPUTS_KEPT = 200
const OUTPUTS_NEEDED = 20
/** Until it is known how long answers are. */
const FIRST_P95 = 1_000

/** Keeps tokens spent and reserved. As a process has one thread, no two calls are decided on at once. */
export class SharedCounter {
  readonly #rule: CounterRule
  readonly #limit: number
  readonly #outputs: number[] = []
  #spent = 0
  #reserved = 0

  constructor(rule: CounterRule, limit: number) {
    this.#rule = rule
    this.#limit = limit
  }

  ask({ inputTokens, maxTokens }: CounterAsk): CounterAnswer {
    if (this.#rule === 'check then increment') {
      return { isAllowed: this.#spent < this.#limit, reserved: 0 }
    }
    const reserved = inputTokens + Math.min(this.#p95(), maxTokens ?? Number.POSITIVE_INFINITY)
    const isAllowed = this.#spent + this.#reserved + reserved <= this.#limit
    if (isAllowed) this.#reserved += reserved
    return { isAllowed, reserved }
  }

  settle({ reserved, inputTokens, outputTokens }: CounterSettlement): void {
    this.#reserved -= reserved
    this.#spent += inputTokens + outputTokens
    this.#outputs.push(outputTokens)
    if (this.#outputs.length > OUTPUTS_KEPT) this.#outputs.shift()
  }

  #p95(): number {
    if (this.#outputs.length < OUTPUTS_NEEDED) return FIRST_P95
    const sorted = this.#outputs.toSorted((a, b) => a - b)
    return sorted[Math.ceil(sorted.length * 0.95) - 1] ?? FIRST_P95
  }
}

export type CounterServer = { readonly url: string; stop(): Promise<void> }

export async function serveCounter(counter: SharedCounter): Promise<CounterServer> {
  const server = createServer((request, response) => {
    void readJson(request).then((body) => {
      if (request.url === '/settle') counter.settle(body as CounterSettlement)
      const answer = request.url === '/ask' ? counter.ask(body as CounterAsk) : {}
      response.end(JSON.stringify(answer))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return JSON.parse(Buffer.concat(chunks).toString())
}
