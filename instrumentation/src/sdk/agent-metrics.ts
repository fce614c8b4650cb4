import { metrics } from '@opentelemetry/api'
import type { Attributes, Counter, Histogram, Meter } from '@opentelemetry/api'
import {
  AGENT_METRICS,
  ATTR_AGENT_NAME,
  ATTR_ERROR_TYPE,
  ATTR_OPERATION_NAME,
  ATTR_PROVIDER_NAME,
  ATTR_REQUEST_MODEL,
  ATTR_RESPONSE_MODEL,
  ATTR_SERVER_ADDRESS,
  LABEL_TOKEN_MODALITY,
  UNKNOWN,
  sumOfTokens,
} from '@tokenfuse/protocol/names'
import type { GuardHealth } from '../extension.ts'
import type { CallRecord } from '../telemetry/index.ts'
import { VERSION } from '../version.ts'

type Definition = (typeof AGENT_METRICS)[keyof typeof AGENT_METRICS]

/** Of the conventions, seconds. */
const DURATION_BOUNDS_S = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
]

/** What this process says of its calls and its guard, to whatever meter provider is registered. */
export class AgentMetrics {
  readonly #meter: Meter = metrics.getMeter('tokenfuse', VERSION)
  readonly #duration: Histogram
  readonly #input = this.#counter(AGENT_METRICS.inputTokens)
  readonly #cacheRead = this.#counter(AGENT_METRICS.cacheReadTokens)
  readonly #cacheWrite = this.#counter(AGENT_METRICS.cacheWriteTokens)
  readonly #output = this.#counter(AGENT_METRICS.outputTokens)
  readonly #reasoning = this.#counter(AGENT_METRICS.reasoningTokens)
  readonly #refusals = this.#counter(AGENT_METRICS.guardRefusals)

  constructor() {
    const advice = { explicitBucketBoundaries: DURATION_BOUNDS_S }
    const options = { ...describe(AGENT_METRICS.operationDuration), advice }
    this.#duration = this.#meter.createHistogram(AGENT_METRICS.operationDuration.name, options)
  }

  /** A call that went out is timed and its tokens counted; a refused one is only counted. */
  record(call: CallRecord): void {
    const { agent } = call.attribution
    if (call.decision !== null) {
      this.#refusals.add(1, { [ATTR_AGENT_NAME]: agent })
      return
    }
    const attributes: Attributes = {
      [ATTR_OPERATION_NAME]: call.operation,
      [ATTR_PROVIDER_NAME]: call.provider,
      [ATTR_REQUEST_MODEL]: call.requestModel,
      ...(call.responseModel !== null && { [ATTR_RESPONSE_MODEL]: call.responseModel }),
      [ATTR_AGENT_NAME]: agent,
      [ATTR_SERVER_ADDRESS]: call.serverAddress,
    }
    this.#duration.record((call.endTimeMs - call.startTimeMs) / 1000, {
      ...attributes,
      ...(call.error !== null && { [ATTR_ERROR_TYPE]: call.error }),
    })
    this.#addTokens(call, { ...attributes, [LABEL_TOKEN_MODALITY]: UNKNOWN })
  }

  /** Tells how the guard fares each time that metrics are read. */
  observe(health: () => GuardHealth): void {
    const gauge = ({ name, ...rest }: Definition, value: () => number) => {
      const observed = this.#meter.createObservableGauge(name, describe(rest))
      observed.addCallback((result) => result.observe(value()))
    }
    gauge(AGENT_METRICS.guardInstances, () => 1)
    gauge(AGENT_METRICS.guardConnections, () => (health().isConnected ? 1 : 0))
    gauge(AGENT_METRICS.guardSpansWaiting, () => health().waitingSpans)
    const { name, ...rest } = AGENT_METRICS.guardSpansDropped
    const dropped = this.#meter.createObservableCounter(name, describe(rest))
    dropped.addCallback((result) => result.observe(health().droppedSpans))
  }

  #addTokens({ parts }: CallRecord, attributes: Attributes): void {
    const sum = sumOfTokens(parts)
    // Unknown is not 0: it leaves its counter alone.
    const add = (counter: Counter, count: number | null) => {
      if (count !== null) counter.add(count, attributes)
    }
    add(this.#input, sum.input)
    add(this.#cacheRead, sum.cacheRead)
    add(this.#cacheWrite, sum.cacheWrite)
    add(this.#cacheWrite, sum.cacheWrite1h)
    add(this.#output, sum.output)
    add(this.#reasoning, sum.reasoning)
  }

  #counter(definition: Definition): Counter {
    return this.#meter.createCounter(definition.name, describe(definition))
  }
}

function describe({ unit, help }: Pick<Definition, 'unit' | 'help'>) {
  return { unit, description: help }
}
