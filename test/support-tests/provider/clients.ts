import { after, before } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import {
  type ConfigPatch,
  type LedgerEntry,
  type Provider,
  type ReplyScript,
  startProvider,
} from '../../support/provider/client.ts'

/** What a call asks of the stand-in by its headers. */
export type Asked = { label?: string; fault?: string; reply?: ReplyScript; config?: ConfigPatch }

export type Fixture = {
  readonly provider: Provider
  readonly openai: OpenAI
  readonly anthropic: Anthropic
}

/** One stand-in and real clients for all tests of a file; both come up before the first and go after the last. */
export function useProvider(config: ConfigPatch = {}): () => Fixture {
  let fixture: Fixture | null = null
  before(async () => {
    const provider = await startProvider(config)
    fixture = {
      provider,
      openai: new OpenAI({ apiKey: 'any', baseURL: `${provider.url}/v1` }),
      anthropic: new Anthropic({ apiKey: 'any', baseURL: provider.url }),
    }
  })
  after(() => fixture?.provider.stop())
  return () => {
    if (!fixture) throw new Error('the stand-in is not up yet')
    return fixture
  }
}

export function asking({ label, fault, reply, config }: Asked): {
  headers: Record<string, string>
} {
  return {
    headers: {
      ...(label === undefined ? {} : { 'x-stand-in-label': label }),
      ...(fault === undefined ? {} : { 'x-stand-in-fault': fault }),
      ...(reply === undefined ? {} : { 'x-stand-in-reply': JSON.stringify(reply) }),
      ...(config === undefined ? {} : { 'x-stand-in-config': JSON.stringify(config) }),
    },
  }
}

/** The entries of a label, in the order in which they ended. */
export async function entriesOf(provider: Provider, label: string): Promise<LedgerEntry[]> {
  return (await provider.ledger()).filter((entry) => entry.label === label)
}

/** The only entry of a label, once its call has ended at the stand-in too. */
export async function entryOf(provider: Provider, label: string): Promise<LedgerEntry> {
  for (;;) {
    const open = (await provider.inFlight()).some((call) => call.label === label)
    const [entry, ...others] = open ? [] : await entriesOf(provider, label)
    if (others.length > 0) throw new Error(`several calls are labelled ${label}`)
    if (entry) return entry
  }
}

export const HELLO = [{ role: 'user' as const, content: 'Say something about the sea.' }]

export const WEATHER_SCHEMA = {
  type: 'object' as const,
  properties: { city: { type: 'string' }, days: { type: 'integer' } },
  required: ['city', 'days'],
  additionalProperties: false,
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}
