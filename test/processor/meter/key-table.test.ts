import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ATTRIBUTE_NAMES } from '../../../processor/src/meter/attribute-table.ts'
import { KeyTable } from '../../../processor/src/meter/key-table.ts'

const table = new KeyTable(ATTRIBUTE_NAMES)

function find(text: string, padding = 0): number {
  const bytes = Buffer.from('#'.repeat(padding) + text)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return table.find(view, padding, bytes.length)
}

test('every name is found, wherever in a payload it stands', () => {
  for (const [index, name] of ATTRIBUTE_NAMES.entries()) {
    for (const padding of [0, 1, 2, 3]) assert.equal(find(name, padding), index, name)
  }
})

test('a name with any one byte changed, added or taken away is not found', () => {
  const name = fc.constantFrom(...ATTRIBUTE_NAMES)
  fc.assert(
    fc.property(name, fc.nat(), fc.integer({ min: 33, max: 126 }), (known, at, code) => {
      const i = at % known.length
      const char = String.fromCharCode(code)
      const near = [
        known.slice(0, i) + char + known.slice(i + 1),
        known.slice(0, i) + char + known.slice(i),
        known.slice(0, i) + known.slice(i + 1),
      ]
      for (const text of near) assert.equal(find(text), ATTRIBUTE_NAMES.indexOf(text), text)
    }),
    { numRuns: 3000 },
  )
})
