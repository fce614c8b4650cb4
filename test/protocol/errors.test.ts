import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PolicyError, TokenfuseError } from '@tokenfuse/protocol'

test('an error is recognised by its name and code, also from another copy of the package', () => {
  assert.ok(TokenfuseError.isInstance(new TokenfuseError('not_found', 'nothing here')))
  assert.ok(TokenfuseError.isInstance(new PolicyError([])))
  const foreign = Object.assign(new Error('nothing here'), { name: 'TokenfuseError', code: 'x' })
  assert.ok(TokenfuseError.isInstance(foreign))
  assert.ok(!TokenfuseError.isInstance(new Error('nothing here')))
  assert.ok(!TokenfuseError.isInstance(null))
})

test('an error carries its fix, whether a retry helps, and its cause', () => {
  const cause = new Error('below')
  const error = new TokenfuseError('log_unavailable', 'disk full', {
    fix: 'Free some space.',
    retryable: true,
    cause,
  })
  assert.deepEqual(
    [error.code, error.message, error.fix, error.retryable, error.cause],
    ['log_unavailable', 'disk full', 'Free some space.', true, cause],
  )
  const plain = new TokenfuseError('not_found', 'nothing here')
  assert.deepEqual([plain.fix, plain.retryable, 'cause' in plain], [null, false, false])
})
