/** What a budget can count over. Any tag is a dimension too: `tag.<name>`. */
export const DIMENSIONS = [
  'tenant',
  'agent',
  'task',
  'taskType',
  'step',
  'user',
  'session',
  'model',
  'provider',
  'service',
] as const
export type NamedDimension = (typeof DIMENSIONS)[number]
export type Dimension = NamedDimension | `tag.${string}`

/** An agent and its task, for which another agent works. */
export type Caller = { readonly agent: string; readonly task: string }

/** Those nearest to the call are left out beyond it. */
export const MAX_CALLERS = 8

/** A call's value in each dimension. `model` is the model asked for, which guard and governor both know. */
export type DimensionValues = Readonly<Record<NamedDimension, string>> & {
  readonly tags: Readonly<Record<string, string>>
  /** For whom the agent works, outermost first. */
  readonly callers?: readonly Caller[] | undefined
}

/** A call as the agent itself makes it, and as it counts for each that the agent works for. */
export function lineage(values: DimensionValues): readonly DimensionValues[] {
  const { callers } = values
  if (callers === undefined || callers.length === 0) return [values]
  return [values, ...callers.map((caller) => ({ ...values, ...caller }))]
}

/** Which calls a budget is for: a glob, or several of which one must fit, for each dimension named. */
export type Match = Readonly<Partial<Record<Dimension, string | readonly string[]>>>

export function isDimension(name: string): name is Dimension {
  return (DIMENSIONS as readonly string[]).includes(name) || /^tag\..+$/.test(name)
}

/** The value of one dimension; a tag that the call does not carry is `unknown`. */
export function dimensionValue(values: DimensionValues, dimension: Dimension): string {
  if (!dimension.startsWith('tag.')) return values[dimension as NamedDimension]
  const name = dimension.slice('tag.'.length)
  // Names come from outside: `constructor` must not find what every object has.
  return (Object.hasOwn(values.tags, name) ? values.tags[name] : null) ?? 'unknown'
}

/** `*` stands for any run of characters and `?` for any one; everything else for itself. Linear in the text. */
export function globMatches(glob: string, text: string): boolean {
  let g = 0
  let t = 0
  let star = -1
  let resume = 0
  while (t < text.length) {
    if (g < glob.length && glob[g] === '*') {
      star = g++
      resume = t
    } else if (g < glob.length && (glob[g] === '?' || glob[g] === text[t])) {
      g++
      t++
    } else if (star >= 0) {
      g = star + 1
      t = ++resume
    } else return false
  }
  while (glob[g] === '*') g++
  return g === glob.length
}

/**
 * Whether one of several globs fits and none that begins with `!` does; with none but those, whether none of them does.
 */
export function matchesGlobs(globs: readonly string[], text: string): boolean {
  let fits = false
  let mustFit = false
  for (const glob of globs) {
    if (glob[0] === '!') {
      if (globMatches(glob.slice(1), text)) return false
    } else {
      mustFit = true
      fits ||= glob === text || globMatches(glob, text)
    }
  }
  return fits || !mustFit
}

export function matchesScope(match: Match, values: DimensionValues): boolean {
  for (const [dimension, wanted] of Object.entries(match)) {
    if (wanted === undefined) continue
    const value = dimensionValue(values, dimension as Dimension)
    if (!matchesGlobs(typeof wanted === 'string' ? [wanted] : wanted, value)) return false
  }
  return true
}

/**
 * The scope's name: `agent=support,task=t-17` in the order of `per`, or `*` for one counter over everything.
 * `%`, `,`, `=` and `|` in values and tag names are percent-encoded, so that the name can be taken apart again.
 */
export function scopeKey(per: readonly Dimension[], values: DimensionValues): string {
  return scopeKeyOf(per.map((dimension) => [dimension, dimensionValue(values, dimension)]))
}

/** The scope's name from its dimension and value pairs; `*` for none. */
export function scopeKeyOf(
  pairs: readonly (readonly [dimension: Dimension, value: string])[],
): string {
  if (pairs.length === 0) return '*'
  return pairs.map(([dimension, value]) => `${encode(dimension)}=${encode(value)}`).join(',')
}

const RESERVED = /[%,=|]/
const encode = (value: string) =>
  RESERVED.test(value)
    ? value.replace(/[%,=|]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    : value

/** The reverse of `scopeKey`: dimension and value pairs in order; empty for `*`. */
export function parseScopeKey(key: string): [dimension: Dimension, value: string][] {
  if (key === '*') return []
  return key.split(',').map((pair) => {
    const [dimension = '', value = ''] = pair.split('=')
    return [decode(dimension) as Dimension, decode(value)]
  })
}

/** Takes back only what `encode` wrote, so that no text can make it fail. */
const decode = (text: string) =>
  text.replace(/%(25|2C|3D|7C)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
