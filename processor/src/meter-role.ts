import {
  type DeadLetter,
  DEFAULT_TENANT,
  PriceCatalogue,
  TokenfuseError,
} from '@tokenfuse/protocol'
import type { Prices } from './api/context.ts'
import { AgentDrops } from './api/otlp/agent-drops.ts'
import type { MeterPorts, SpanRecord } from './log/pipeline.ts'
import { decodeTraces } from './meter/decode-traces.ts'
import { type Metered, meterSpans } from './meter/meter-spans.ts'
import { countSpans } from './metrics/count-spans.ts'
import type { MetricRegistry } from './metrics/registry.ts'

export type MeterRoleOptions = {
  readonly ports: MeterPorts
  readonly metrics: MetricRegistry
  readonly say: (line: string) => void
  readonly now?: () => number
}

/** How long prices may take before it is said that they are waited for. */
const PATIENCE_MS = 5000

/** Turns the spans of the Collector into events of the log. It keeps no state, so there may be several. */
export class MeterRole {
  readonly #options: MeterRoleOptions
  readonly #drops = new AgentDrops()
  #prices: Prices | null = null
  #following: Promise<void> = Promise.resolve()
  readonly #failed = Promise.withResolvers<void>()

  constructor(options: MeterRoleOptions) {
    this.#options = options
    this.#failed.promise.catch(() => {})
  }

  /** Whether it has prices and its share of the spans. */
  get isReady(): boolean {
    return this.#prices !== null && this.#options.ports.source.isJoined
  }

  /** Resolves when it was closed; rejects when it cannot go on, and then the process is best ended. */
  get ended(): Promise<void> {
    return Promise.race([this.#options.ports.source.ended, this.#failed.promise])
  }

  /** Waits for prices, then begins with the spans. */
  async start(): Promise<void> {
    const { source } = this.#options.ports
    const first = Promise.withResolvers<void>()
    this.#following = this.#followPrices(first.resolve).catch((error: unknown) => {
      this.#failed.reject(error)
      first.reject(error)
    })
    const timer = setTimeout(() => this.#options.say(WAITING), PATIENCE_MS)
    try {
      await first.promise
    } finally {
      clearTimeout(timer)
    }
    await source.run((record) => this.#take(record))
  }

  /** Lets the spans in work end and be acknowledged. */
  async close(): Promise<void> {
    const { source, sink, prices } = this.#options.ports
    await source.close()
    prices.close()
    await this.#following
    await sink.close()
  }

  /** @param known is called when those in force are known, and when there will be none */
  async #followPrices(known: () => void): Promise<void> {
    for await (const { tenant, prices, isNewest } of this.#options.ports.prices.follow()) {
      if (tenant !== DEFAULT_TENANT) continue
      this.#prices = {
        catalogue: new PriceCatalogue(prices.prices),
        overridesVersion: prices.version,
      }
      if (isNewest) known()
    }
    known()
  }

  async #take({ source, value }: SpanRecord): Promise<void> {
    const { metrics, ports } = this.#options
    let metered: Metered
    try {
      metered = this.#meter(source, value)
    } catch (error) {
      if (!TokenfuseError.isInstance(error) || error.code !== 'otlp_malformed') throw error
      await ports.sink.keepDeadLetters([malformedLetter(error, source, value)])
      metrics.add('deadLetters', [error.code], 1)
      return
    }
    const { events, guardEnds, deadLetters } = metered
    await Promise.all([
      ports.sink.append([...events, ...guardEnds]),
      ports.sink.keepDeadLetters(deadLetters),
    ])
    countSpans(metrics, metered)
    const dropped = this.#drops.add(metered.droppedByAgents)
    if (dropped > 0) metrics.add('agentDroppedSpans', [], dropped)
  }

  #meter(source: string, value: Uint8Array): Metered {
    if (this.#prices === null) throw new TypeError('there are no prices yet')
    const nowMs = (this.#options.now ?? Date.now)()
    const options = { ...this.#prices, defaultTenant: DEFAULT_TENANT, nowMs, source }
    return meterSpans(decodeTraces(value, 'protobuf'), options)
  }
}

const WAITING =
  'waiting for prices: a governor publishes them when it starts (a processor with --roles governor)'

function malformedLetter(
  { code, message }: TokenfuseError,
  source: string,
  payload: Uint8Array,
): DeadLetter {
  const contentType = 'application/x-protobuf'
  return { tenant: DEFAULT_TENANT, source, code, message, payload, contentType }
}
