import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tokenfuse } from '../../support/tokenfuse-command.ts'

test('kafka init wants to know a broker, and says what is wrong with one', async () => {
  const without = await tokenfuse(['kafka', 'init'])
  assert.equal(without.code, 1)
  assert.match(without.stderr, /no broker is named[^]*--brokers or TOKENFUSE_KAFKA_BROKERS/)
  const wrong = await tokenfuse(['kafka', 'init', '--brokers', 'here'])
  assert.equal(wrong.code, 1)
  assert.match(wrong.stderr, /"here" is no broker[^]*host:port/)
})

test('one role alone, or an unknown one, is refused where it cannot be', async () => {
  const alone = await tokenfuse(['up', '--roles', 'meter'])
  assert.equal(alone.code, 1)
  assert.match(alone.stderr, /one role alone needs Kafka/)
  const unknown = await tokenfuse(['up', '--kafka', '127.0.0.1:1', '--roles', 'chief'])
  assert.equal(unknown.code, 1)
  assert.match(unknown.stderr, /"chief" is no role/)
})
