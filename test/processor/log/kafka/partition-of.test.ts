import assert from 'node:assert/strict'
import { test } from 'node:test'
import { partitionOf } from '../../../../processor/src/log/kafka/partition-of.ts'

// (murmur2(key) & 0x7fffffff) % 7, with the hashes that Kafka's own tests give for these keys.
test('a tenant lives where any Java producer would put it', () => {
  const hashes = { '21': -973932308, foobar: -790332482, 'a-little-bit-long-string': -985981536 }
  for (const [key, hash] of Object.entries(hashes)) {
    assert.equal(partitionOf(key, 7), (hash & 0x7fffffff) % 7, key)
  }
  assert.equal(partitionOf('anyone', 1), 0)
})
