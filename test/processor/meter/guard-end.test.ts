import assert from 'node:assert/strict'
import test from 'node:test'
import { encodeGuardEnd, encodeRequest } from '../../../instrumentation/src/telemetry/otlp-json.ts'
import { decodeTraces } from '../../../processor/src/meter/decode-traces.ts'
import { meterSpans } from '../../../processor/src/meter/meter-spans.ts'
import { catalogue } from './metered.ts'

const NOW_MS = Date.UTC(2026, 0, 1)

function meteredEnd(guard: string) {
  const body = encodeRequest([encodeGuardEnd('acme', NOW_MS)], guard, 0)
  return meterSpans(decodeTraces(Buffer.from(body), 'json'), {
    catalogue,
    overridesVersion: null,
    defaultTenant: 'default',
    nowMs: NOW_MS,
    source: 'http:/v1/traces',
  })
}

test('the last word of a guard closes its credit, whatever report comes late', () => {
  const { events, guardEnds, deadLetters } = meteredEnd('guard-0123456789')
  assert.deepEqual([events.length, deadLetters.length], [0, 0])
  assert.deepEqual(guardEnds, [
    {
      type: 'credit.report',
      v: 1,
      tenant: 'acme',
      guard: 'guard-0123456789',
      sequence: Number.MAX_SAFE_INTEGER,
      closing: true,
      accounts: [],
    },
  ])
})

test('a last word without a guard that could be one closes nothing', () => {
  assert.deepEqual(meteredEnd('no guard').guardEnds, [])
})
