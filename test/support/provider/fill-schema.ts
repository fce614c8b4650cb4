import { asArray, asObject, asText, type JsonObject } from './json.ts'
import type { Random } from './random.ts'
import { wordsText } from './words.ts'

const MAX_DEPTH = 6

/** A value that fits a JSON Schema as far as models' tools need it: types, enums, objects, arrays. */
export function fillSchema(schema: JsonObject, random: Random, depth = 0): unknown {
  const choices = asArray(schema['enum'])
  if (choices.length > 0) return choices[Math.floor(random() * choices.length)]
  if ('const' in schema) return schema['const']
  const alternative = asObject(asArray(schema['anyOf'])[0])
  if (alternative) return fillSchema(alternative, random, depth)
  const type = asText(schema['type']) ?? asText(asArray(schema['type'])[0])
  switch (type) {
    case 'string':
      return wordsText(1 + Math.floor(random() * 6), random)
    case 'integer':
      return Math.floor(random() * 100)
    case 'number':
      return Math.floor(random() * 1000) / 8
    case 'boolean':
      return random() < 0.5
    case 'null':
      return null
    case 'array': {
      const items = asObject(schema['items']) ?? { type: 'string' }
      const count = depth >= MAX_DEPTH ? 0 : 1 + Math.floor(random() * 3)
      return Array.from({ length: count }, () => fillSchema(items, random, depth + 1))
    }
    default:
      return fillObject(schema, random, depth)
  }
}

function fillObject(schema: JsonObject, random: Random, depth: number): JsonObject {
  const filled: Record<string, unknown> = {}
  if (depth >= MAX_DEPTH) return filled
  for (const [name, property] of Object.entries(asObject(schema['properties']) ?? {})) {
    filled[name] = fillSchema(asObject(property) ?? {}, random, depth + 1)
  }
  return filled
}
