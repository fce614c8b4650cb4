import { join } from 'node:path'
import { readyLine, spawnSource, stopChild } from '../child.ts'
import type { ConfigPatch } from './config.ts'
import type { InFlight, LedgerEntry, LedgerSummary } from './ledger.ts'
import type { ReplyScript } from './script.ts'

export type { ConfigPatch } from './config.ts'
export type { InFlight, LedgerEntry, LedgerSummary } from './ledger.ts'
export type { ReplyScript } from './script.ts'

/** A running stand-in. OpenAI clients take `${url}/v1` as base URL, Anthropic's take `url`. */
export type Provider = {
  readonly url: string
  readonly pid: number
  /** Requests that have ended, in the order in which they ended. */
  ledger(): Promise<LedgerEntry[]>
  summary(): Promise<LedgerSummary>
  inFlight(): Promise<InFlight[]>
  /** Queues exact replies: for requests of a label, or with null for whichever come next. */
  script(label: string | null, replies: readonly ReplyScript[]): Promise<void>
  configure(patch: ConfigPatch): Promise<void>
  /** Empties ledger, scripts and caches. */
  reset(): Promise<void>
  stop(): Promise<void>
}

/** Starts the stand-in as a process of its own, on a free port of the loopback interface. */
export async function startProvider(config: ConfigPatch = {}): Promise<Provider> {
  const file = join(import.meta.dirname, 'main.ts')
  const child = spawnSource(file, ['--port', '0', '--config', JSON.stringify(config)])
  const url = String((await readyLine(child))['url'])
  const get = async (path: string) => checked(await fetch(url + path))
  const post = async (path: string, body: unknown) => {
    await checked(await fetch(url + path, { method: 'POST', body: JSON.stringify(body) }))
  }
  return {
    url,
    pid: child.pid ?? 0,
    async ledger() {
      const text = await (await get('/_ledger')).text()
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as LedgerEntry)
    },
    summary: async () => (await (await get('/_ledger/summary')).json()) as LedgerSummary,
    inFlight: async () => (await (await get('/_inflight')).json()) as InFlight[],
    script: (label, replies) => post('/_script', { label, replies }),
    configure: (patch) => post('/_config', patch),
    reset: () => post('/_reset', {}),
    stop: () => stopChild(child),
  }
}

async function checked(response: Response): Promise<Response> {
  if (response.ok) return response
  throw new Error(`the stand-in answered ${response.status}: ${await response.text()}`)
}
