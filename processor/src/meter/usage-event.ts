import {
  type Charge,
  chargesFor,
  PRICE_BASE,
  type Priced,
  UNKNOWN,
  type UsageEvent,
  type UsagePart,
} from '@tokenfuse/protocol'
import { attributionOf } from './attribution.ts'
import type { MeterOptions } from './options.ts'
import { providerName } from './providers.ts'
import type { SpanFields } from './span-fields.ts'
import type { SpanIdentity } from './span-identity.ts'
import { readUsage, type Usage } from './usage.ts'
import { readVerdict, refuses } from './verdict.ts'

/** What the conventions have for an error of no known type. */
const OTHER_ERROR = '_OTHER'

/** A call that was refused reached nobody: that it used nothing is known, not unknown. */
const NOTHING_USED: Usage = Object.freeze({
  tokens: { input: 0, cacheRead: 0, cacheWrite: 0, cacheWrite1h: 0, output: 0, reasoning: 0 },
  parts: [],
  source: 'provider',
})

/**
 * The usage event of one call.
 * @param failed whether the span's status is an error
 * @param problems whatever cannot be true is added here; then there is no event
 */
export function usageEventOf(
  fields: SpanFields,
  identity: SpanIdentity,
  failed: boolean,
  options: MeterOptions,
  problems: string[],
): UsageEvent | null {
  const provider = providerName(fields.name('provider') ?? UNKNOWN)
  const requestModel = fields.name('requestModel') ?? UNKNOWN
  const responseModel = fields.name('responseModel')
  const responseId = fields.name('responseId')
  const serviceTier = fields.name('serviceTier') ?? fields.name('openaiServiceTier')
  const verdict = readVerdict(fields)
  const told = readUsage(fields, provider, problems)
  const answered = responseId !== null || responseModel !== null || told.parts.some(isBilled)
  const refused = refuses(verdict) && !answered
  const usage = refused ? NOTHING_USED : told
  const savings = savingsOf(fields, problems)
  const systemTokens = refused ? null : fields.count('systemTokens', problems)
  if (problems.length > 0) return null

  // Nobody bills what was refused or came out of a cache.
  const billed = !refused && usage.source !== 'cache'
  const call = { provider, model: responseModel ?? requestModel, serviceTier }
  const { timeMs, ...when } = identity
  return {
    type: 'usage',
    v: 1,
    tenant: fields.name('tenant') ?? options.defaultTenant,
    ...when,
    guard: fields.name('guard'),
    responseId,
    ...attributionOf(fields),
    provider,
    operation: fields.name('operation') ?? UNKNOWN,
    requestModel,
    originalModel: fields.name('originalModel'),
    responseModel,
    serviceTier,
    tokens: usage.tokens,
    ...(systemTokens !== null && { systemTokens }),
    ...(billed ? priceOf(usage.parts, call, timeMs, options) : free()),
    priceVersion: priceVersionOf(options),
    source: usage.source,
    error: fields.name('errorType') ?? (failed ? OTHER_ERROR : null),
    toolCallKeys: fields.keys('toolCallKeys'),
    toolResultKeys: fields.keys('toolResultKeys'),
    verdict,
    savings,
  }
}

function isBilled({ tokens, webSearches }: UsagePart): boolean {
  return webSearches > 0 || Object.values(tokens).some((count) => count !== null && count > 0)
}

type Price = {
  readonly charges: Charge[]
  readonly costPicoUsd: string
  readonly priced: Priced
}

const free = (): Price => ({ charges: [], costPicoUsd: '0', priced: 'exact' })

function priceOf(
  parts: readonly UsagePart[],
  call: { provider: string; model: string; serviceTier: string | null },
  timeMs: number,
  { catalogue }: MeterOptions,
): Price {
  const { charges, cost, priced } = chargesFor(parts, call.model, (model) =>
    catalogue.rate(call.provider, model, call.serviceTier, timeMs),
  )
  return { charges, costPicoUsd: cost.toString(), priced }
}

function priceVersionOf({ overridesVersion }: MeterOptions): string {
  return overridesVersion === null ? PRICE_BASE : `${PRICE_BASE}+${overridesVersion}`
}

/** What a strategy of saving spared this call, as the guard reckons it. */
function savingsOf(fields: SpanFields, problems: string[]): UsageEvent['savings'] {
  const strategy = fields.name('savingsStrategy')
  if (strategy === null) return []
  const inputTokens = fields.count('savingsInput', problems)
  const outputTokens = fields.count('savingsOutput', problems)
  return [{ strategy, inputTokens, outputTokens }]
}
