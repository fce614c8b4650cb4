import { type Inspection, inspectResponse } from '@tokenfuse/instrumentation/providers'
import {
  addTokens,
  type Charge,
  chargesFor,
  type Priced,
  PriceCatalogue,
  type PricedCharges,
  type TokenCounts,
  UNKNOWN,
  UNKNOWN_TOKENS,
  type UsageSource,
} from '@tokenfuse/protocol'

type ResponseFacts = Inspection['responses'][number]

/** One response in the shape of a usage event. What is not known is `null`, never 0. */
export type InspectedResponse = {
  readonly responseId: string | null
  readonly responseModel: string | null
  readonly tokens: TokenCounts
  readonly charges: readonly Charge[]
  readonly source: UsageSource | null
  readonly costPicoUsd: string | null
  readonly priced: Priced | null
  readonly problems: readonly string[]
}

/** What tokenfuse reads from a recording; of several responses in one file, their sums. */
export type InspectedFile = {
  readonly recognised: boolean
  /** What the recording is, such as `openai.chat` or `transcription`. */
  readonly label: string
  /** Why nothing, or not all, was read. */
  readonly reason: string | null
  readonly provider: string
  readonly responseModel: string | null
  /** `null` where the recording is no model call that tokenfuse knows. */
  readonly tokens: TokenCounts | null
  readonly charges: readonly Charge[]
  readonly source: UsageSource | null
  readonly costPicoUsd: string | null
  readonly priced: Priced | null
  readonly problems: readonly string[]
  /** Each of them, where the file holds more than one. */
  readonly responses?: readonly InspectedResponse[]
}

/**
 * Reads and prices a recorded response. Never throws.
 * @param bytes a JSON body, raw server-sent events, or one JSON event a line
 * @param url where it was requested
 * @param timeMs whose prices hold, milliseconds since 1970
 */
export function inspectFile(bytes: Uint8Array, url: URL, timeMs: number): InspectedFile {
  const { recognised, label, reason, provider, responses, total } = inspectResponse(bytes, url)
  const catalogue = new PriceCatalogue()
  const priced = responses.map((facts) => priceOf(facts, provider, catalogue, timeMs))
  const inspected = responses.map((facts, index) => inspectedResponse(facts, priced[index] ?? null))
  const known = priced.filter((charges) => charges !== null)
  return {
    recognised,
    label,
    reason,
    provider,
    responseModel: total.responseModel,
    tokens: recognised ? total.tokens : null,
    charges: known.flatMap(({ charges }) => charges),
    source: total.source,
    costPicoUsd:
      known.length === 0 ? null : String(known.reduce((sum, { cost }) => sum + cost, 0n)),
    priced: worstOf(known.map((charges) => charges.priced)),
    problems: [...new Set(responses.flatMap(({ problems }) => problems))],
    ...(responses.length > 1 && { responses: inspected }),
  }
}

/** `null` where no usage is known: no price is not a price of 0. */
function priceOf(
  { parts, responseModel, serviceTier }: ResponseFacts,
  provider: string,
  catalogue: PriceCatalogue,
  timeMs: number,
): PricedCharges | null {
  if (parts.length === 0) return null
  return chargesFor(parts, responseModel ?? UNKNOWN, (model) =>
    catalogue.rate(provider, model, serviceTier, timeMs),
  )
}

function inspectedResponse(facts: ResponseFacts, priced: PricedCharges | null): InspectedResponse {
  return {
    responseId: facts.responseId,
    responseModel: facts.responseModel,
    tokens: facts.parts.map(({ tokens }) => tokens).reduce(addTokens, UNKNOWN_TOKENS),
    charges: priced?.charges ?? [],
    source: facts.source,
    costPicoUsd: priced === null ? null : String(priced.cost),
    priced: priced?.priced ?? null,
    problems: facts.problems,
  }
}

function worstOf(priced: readonly Priced[]): Priced | null {
  const worstFirst: readonly Priced[] = ['ceiling', 'fallback', 'exact']
  return worstFirst.find((candidate) => priced.includes(candidate)) ?? null
}
