import type { TokenCounts } from './tokens.ts'

/**
 * What a part of a response was for. `message`: the answer itself. `compaction`: the provider summarised the
 * context first. `advisor`: another model was asked on the way. `attempt`: an upstream attempt that a gateway
 * gave up and began anew within the same stream.
 */
export const USAGE_PART_KINDS = ['message', 'compaction', 'advisor', 'attempt'] as const
export type UsagePartKind = (typeof USAGE_PART_KINDS)[number]

/** One priced unit of a response: most responses have one, `message`. Prices' tiers apply to each part alone. */
export type UsagePart = {
  readonly part: UsagePartKind
  /** The model that this part bills; `null` stands for the response's own. */
  readonly model: string | null
  readonly tokens: TokenCounts
  /** Billed per request, such as a search by the provider's own tool. */
  readonly webSearches: number
}

/** Where a call's usage comes from, best first. */
export const USAGE_SOURCES = ['provider', 'cache', 'partial', 'estimate'] as const
export type UsageSource = (typeof USAGE_SOURCES)[number]

/** How much a call matters where a budget runs low, those that matter most first. */
export const CRITICALITIES = ['critical', 'normal', 'best_effort'] as const
export type Criticality = (typeof CRITICALITIES)[number]
