import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { StringReader } from '../../../processor/src/meter/string-reader.ts'

test('any run of any bytes is read as a UTF-8 decoder reads it, whatever was read before', () => {
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
  const runs = fc.array(fc.tuple(fc.nat(199), fc.nat(80)), { maxLength: 60 })
  // Few different bytes, so that equal and almost equal texts are common.
  const bytes = fc.array(fc.constantFrom(0x61, 0x62, 0xc3, 0xa9, 0xff), {
    minLength: 200,
    maxLength: 200,
  })
  fc.assert(
    fc.property(bytes, runs, (content, ranges) => {
      const body = Uint8Array.from(content)
      const reader = new StringReader(new DataView(body.buffer))
      for (const [start, length] of ranges) {
        const end = Math.min(200, start + length)
        assert.equal(reader.read(start, end), utf8.decode(body.subarray(start, end)))
      }
    }),
    { numRuns: 300 },
  )
})
