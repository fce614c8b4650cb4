import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ATTRIBUTE_NAMES } from '../../../processor/src/meter/attribute-table.ts'
import { FieldSlots } from '../../../processor/src/meter/field-slots.ts'

const TODAY = ATTRIBUTE_NAMES.indexOf('gen_ai.provider.name')
const OLDER = ATTRIBUTE_NAMES.indexOf('gen_ai.system')

test('a span holds over its resource, today over older names, the last over those before', () => {
  const sayings: [key: number, value: string, ofResource: boolean][] = [
    [TODAY, 'resource', true],
    [OLDER, 'older', false],
    [OLDER, 'older again', false],
    [TODAY, 'today', false],
    [TODAY, 'today again', false],
  ]
  const slots = new FieldSlots()
  for (const [key, value, ofResource] of sayings) {
    slots.set(key, value, ofResource)
    assert.deepEqual(slots.attributes(), [['gen_ai.provider.name', value]])
  }
  for (const [key, value, ofResource] of sayings.slice(0, 3)) slots.set(key, value, ofResource)
  assert.deepEqual(slots.attributes(), [['gen_ai.provider.name', 'today again']])
  slots.clear()
  assert.deepEqual(slots.attributes(), [])
})
