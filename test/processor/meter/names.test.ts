import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boundedName, MAX_NAME_LENGTH } from '../../../processor/src/meter/names.ts'

const long = 'x'.repeat(MAX_NAME_LENGTH)

test('a name within the bound is kept as it is', () => {
  for (const name of ['', 'writer', 'Übersetzer 🚀', long]) assert.equal(boundedName(name), name)
})

test('a longer name keeps its beginning, fits the bound and stays apart from others', () => {
  const a = boundedName(`${long}a`)
  const b = boundedName(`${long}b`)
  assert.equal(a.length, MAX_NAME_LENGTH)
  assert.match(a, /^x{239}…[0-9a-f]{16}$/)
  assert.notEqual(a, b)
  assert.equal(boundedName(a), a)
  assert.ok(boundedName('🚀'.repeat(200)).isWellFormed())
})

test('control characters cannot cut a key or steer a terminal', () => {
  assert.equal(boundedName('a\u0000b\u001b[31m\n\u0085'), 'a\uFFFDb\uFFFD[31m\uFFFD\uFFFD')
})
