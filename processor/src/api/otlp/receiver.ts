import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { type DeadLetter, DEFAULT_TENANT, TokenfuseError } from '@tokenfuse/protocol'
import { decodeTraces, type OtlpEncoding } from '../../meter/decode-traces.ts'
import { type Metered, meterSpans } from '../../meter/meter-spans.ts'
import type { MeterOptions } from '../../meter/options.ts'
import { countSpans } from '../../metrics/count-spans.ts'
import { inflateBody, readBody } from '../body.ts'
import type { ApiContext } from '../context.ts'
import { httpFailure } from '../errors.ts'
import { AgentDrops } from './agent-drops.ts'
import { encodingOf, exportAnswer, otlpFailure } from './answers.ts'

export type Signal = 'traces' | 'metrics' | 'logs'

const SOURCE = 'http:/v1/traces'
const MAX_RAW_BYTES = 16 * 1024 ** 2
const MAX_INFLATED_BYTES = 64 * 1024 ** 2
/** Bodies are held whole, so only so many at a time. */
const MAX_IN_FLIGHT = 128
/** Rejected spans that an answer names. */
const MAX_TOLD = 5

/** Takes OTLP exports: spans become events of the log, metrics and logs are accepted and only counted. */
export class OtlpReceiver {
  readonly #context: ApiContext
  readonly #report: (error: unknown) => void
  readonly #drops = new AgentDrops()
  #inFlight = 0

  /** @param report is told of what is no error of ours */
  constructor(context: ApiContext, report: (error: unknown) => void) {
    this.#context = context
    this.#report = report
  }

  /**
   * Answers one export request, once what it brought is in the log. Never throws.
   * @param admit throws where the request is not to be taken
   */
  async handle(signal: Signal, incoming: IncomingMessage, admit: () => void): Promise<Response> {
    const { metrics } = this.#context
    const encoding = encodingOf(incoming.headers['content-type'])
    this.#inFlight++
    try {
      admit()
      if (this.#inFlight > MAX_IN_FLIGHT) {
        throw new TokenfuseError('overloaded', `${MAX_IN_FLIGHT} exports are in work already`)
      }
      if (encoding === null) {
        throw new TokenfuseError('otlp_unsupported', 'the content type is none of OTLP', {
          fix: 'Send application/x-protobuf or application/json.',
        })
      }
      const raw = await readBody(incoming, MAX_RAW_BYTES)
      const rejected =
        signal === 'traces' ? await this.#takeTraces(raw, encoding, incoming.headers) : []
      metrics.add('otlpRequests', [signal, 'accepted'], 1)
      return exportAnswer(encoding, rejected.length, summaryOf(rejected))
    } catch (error) {
      const failure = httpFailure(error)
      if (failure.code === 'internal') this.#report(error)
      metrics.add('otlpRequests', [signal, failure.code], 1)
      return otlpFailure(encoding ?? 'json', failure)
    } finally {
      this.#inFlight--
    }
  }

  async #takeTraces(
    raw: Buffer,
    encoding: OtlpEncoding,
    headers: IncomingHttpHeaders,
  ): Promise<readonly DeadLetter[]> {
    const { log, metrics } = this.#context
    let body = raw
    let metered: Metered
    try {
      body = await decompress(raw, headers['content-encoding'] ?? 'identity')
      metered = meterSpans(decodeTraces(body, encoding), this.#meterOptions())
    } catch (error) {
      if (!TokenfuseError.isInstance(error) || error.code !== 'otlp_malformed') throw error
      const isCompressed = body === raw && headers['content-encoding'] === 'gzip'
      const contentType = isCompressed ? 'application/gzip' : (headers['content-type'] ?? '')
      await log.keepDeadLetters([malformedLetter(error, body, contentType)])
      metrics.add('deadLetters', [error.code], 1)
      throw error
    }
    const { events, guardEnds, deadLetters } = metered
    // Asked for together, so they share a commit.
    await Promise.all([log.append([...events, ...guardEnds]), log.keepDeadLetters(deadLetters)])
    countSpans(metrics, metered)
    const dropped = this.#drops.add(metered.droppedByAgents)
    if (dropped > 0) metrics.add('agentDroppedSpans', [], dropped)
    return deadLetters
  }

  #meterOptions(): MeterOptions {
    const context = this.#context
    return {
      ...context.prices(),
      defaultTenant: DEFAULT_TENANT,
      nowMs: context.now(),
      source: SOURCE,
    }
  }
}

async function decompress(raw: Buffer, encoding: string): Promise<Buffer> {
  if (encoding === 'identity') return raw
  if (encoding === 'gzip') return await inflateBody(raw, MAX_INFLATED_BYTES)
  throw new TokenfuseError('otlp_unsupported', `the content encoding "${encoding}" is not read`, {
    fix: 'Send it with gzip or uncompressed.',
  })
}

function malformedLetter(
  { code, message }: TokenfuseError,
  payload: Uint8Array,
  contentType: string,
): DeadLetter {
  return { tenant: DEFAULT_TENANT, source: SOURCE, code, message, payload, contentType }
}

/** What was rejected and why, for the sender's log: the first of them. */
function summaryOf(rejected: readonly DeadLetter[]): string {
  const messages = rejected.slice(0, MAX_TOLD).map(({ message }) => message)
  if (rejected.length > MAX_TOLD) messages.push(`and ${rejected.length - MAX_TOLD} more`)
  return messages.join('; ')
}
