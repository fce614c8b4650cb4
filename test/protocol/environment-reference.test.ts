import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ENVIRONMENT } from '@tokenfuse/protocol'
import * as names from '@tokenfuse/protocol/names'

test('the reference has each variable that is read, once, and no other', () => {
  const read = Object.entries(names).flatMap(([constant, name]) =>
    constant.startsWith('ENV_') && typeof name === 'string' ? [name] : [],
  )
  assert.deepEqual(ENVIRONMENT.map(({ name }) => name).sort(), read.sort())
})
