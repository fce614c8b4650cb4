import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { SpanBuffer } from '../../../instrumentation/src/telemetry/span-buffer.ts'
import { FUZZ_MS } from '../../support/fuzz.ts'

const limits = { maxSpans: 20, maxBytes: 100 }

test('a buffer is a bounded queue: whatever is done, it holds what a plain list would', () => {
  const push = fc.integer({ min: 1, max: 40 }).map((bytes) => ({ do: 'push' as const, bytes }))
  const take = fc.nat(30).map((count) => ({ do: 'take' as const, count }))
  fc.assert(
    fc.property(fc.array(fc.oneof(push, take), { maxLength: 200 }), (steps) => {
      const buffer = new SpanBuffer<{ bytes: number; n: number }>(limits)
      const model: { bytes: number; n: number }[] = []
      const modelBytes = () => model.reduce((sum, { bytes }) => sum + bytes, 0)
      for (const [n, step] of steps.entries()) {
        if (step.do === 'take') {
          assert.deepEqual(buffer.take(step.count), model.splice(0, step.count))
        } else {
          const room = model.length < limits.maxSpans && modelBytes() + step.bytes <= 100
          assert.equal(buffer.hasRoomFor(step.bytes), room)
          if (!room) continue
          buffer.push({ bytes: step.bytes, n })
          model.push({ bytes: step.bytes, n })
        }
        assert.equal(buffer.size, model.length)
        assert.equal(buffer.bytes, modelBytes())
        assert.deepEqual(buffer.peek(Infinity, Infinity), model)
      }
    }),
    { interruptAfterTimeLimit: FUZZ_MS / 4 },
  )
})

test('what is peeked keeps to both bounds, but a single span that is too large goes alone', () => {
  const buffer = new SpanBuffer<{ bytes: number }>({ maxSpans: 10, maxBytes: 1000 })
  for (const bytes of [30, 30, 30, 500]) buffer.push({ bytes })
  assert.equal(buffer.peek(2, 1000).length, 2)
  assert.equal(buffer.peek(10, 70).length, 2)
  buffer.take(3)
  assert.equal(buffer.peek(10, 70).length, 1)
})
