/** Reading of outside JSON without trust: what has another type than expected is absent. */
export type JsonObject = Readonly<Record<string, unknown>>

export function asObject(value: unknown): JsonObject | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : null
}

export function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

export function asText(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

export function asWhole(value: unknown): number | null {
  return typeof value === 'number' && Number.isInteger(value) ? value : null
}
