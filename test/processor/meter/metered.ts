import assert from 'node:assert/strict'
import { PriceCatalogue, type UsageEvent, usageEventSchema } from '@tokenfuse/protocol'
import { decodeTraces } from '../../../processor/src/meter/decode-traces.ts'
import { type Metered, meterSpans } from '../../../processor/src/meter/meter-spans.ts'
import type { MeterOptions } from '../../../processor/src/meter/options.ts'
import {
  type OtlpRequest,
  otlpRequest,
  type OtlpSpan,
  START_MS,
  toJson,
  toProtobuf,
} from './otlp.ts'

/** Round prices, and one for each kind of token, so that sums can be done in the head. */
export const catalogue = new PriceCatalogue([
  {
    model: 'priced-*',
    inputUsdPerMillion: '1',
    cacheReadUsdPerMillion: '0.1',
    cacheWriteUsdPerMillion: '2',
    cacheWrite1hUsdPerMillion: '3',
    outputUsdPerMillion: '10',
    webSearchUsd: '0.01',
  },
])

/** Meters a request as protobuf and as JSON, which must come to the same. */
export function metered(request: OtlpRequest, options: Partial<MeterOptions> = {}): Metered {
  const all: MeterOptions = {
    catalogue,
    overridesVersion: null,
    defaultTenant: 'default',
    nowMs: START_MS + 1000,
    source: 'http:/v1/traces',
    ...options,
  }
  const fromJson = meterSpans(decodeTraces(toJson(request), 'json'), all)
  const result = meterSpans(decodeTraces(toProtobuf(request), 'protobuf'), all)
  assert.deepEqual(result, fromJson)
  for (const event of result.events) assert.deepEqual(usageEventSchema.parse(event), event)
  return result
}

/** The one event of one span. */
export function eventOf(
  span: OtlpSpan,
  resource: Readonly<Record<string, unknown>> = {},
  options: Partial<MeterOptions> = {},
): UsageEvent {
  const { events, deadLetters } = metered(otlpRequest([span], resource), options)
  assert.deepEqual(
    deadLetters.map(({ message }) => message),
    [],
  )
  const [event, ...others] = events
  assert.ok(event)
  assert.deepEqual(others, [])
  return event
}

/** Why one span is a dead letter. */
export function rejection(span: OtlpSpan): string {
  const { events, deadLetters } = metered(otlpRequest([span]))
  assert.deepEqual(events, [])
  const [letter, ...others] = deadLetters
  assert.ok(letter)
  assert.deepEqual(others, [])
  assert.equal(letter.code, 'usage_invalid')
  return letter.message
}
