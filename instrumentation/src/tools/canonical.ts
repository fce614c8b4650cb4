const DEPTH_MAX = 64

/** JSON with sorted keys and no spaces, so that the same arguments always look the same; other text as it is. */
export function canonicalJson(text: string): string {
  const first = text.trimStart()[0]
  if (first !== '{' && first !== '[') return text
  try {
    return JSON.stringify(sorted(JSON.parse(text), 0))
  } catch {
    return text
  }
}

function sorted(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || depth > DEPTH_MAX) return value
  if (Array.isArray(value)) return value.map((item) => sorted(item, depth + 1))
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item, depth + 1)]))
}
