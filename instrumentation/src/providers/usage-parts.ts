import { addTokens, type UsagePart } from '@tokenfuse/protocol/names'

/** More parts than this are added up by kind and model: they travel with the call's telemetry. */
const MAX_PARTS = 64

/** The parts with `null` in place of the response's own model, and not too many of them. */
export function withoutCommonModel(
  parts: readonly UsagePart[],
  responseModel: string | null,
): UsagePart[] {
  const own = parts.map((part) => (part.model === responseModel ? { ...part, model: null } : part))
  return own.length > MAX_PARTS ? addedUp(own) : own
}

function addedUp(parts: readonly UsagePart[]): UsagePart[] {
  const sums = new Map<string, UsagePart>()
  for (const part of parts) {
    const key = JSON.stringify([part.part, part.model])
    const sum = sums.get(key)
    sums.set(
      key,
      sum
        ? {
            ...sum,
            tokens: addTokens(sum.tokens, part.tokens),
            webSearches: sum.webSearches + part.webSearches,
          }
        : part,
    )
  }
  return [...sums.values()]
}
