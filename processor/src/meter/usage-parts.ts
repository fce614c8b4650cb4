import {
  ATTR_USAGE_PARTS,
  MAX_TOKENS_PER_CALL,
  tokenCountsSchema,
  tokenProblems,
  USAGE_PART_KINDS,
  type UsagePart,
} from '@tokenfuse/protocol'
import { z } from 'zod'
import { parseJson } from './json-text.ts'
import { boundedName } from './names.ts'

const MAX_PARTS = 100

const partsSchema = z
  .array(
    z.object({
      part: z.enum(USAGE_PART_KINDS),
      model: z
        .string()
        .min(1)
        .transform((model) => boundedName(model))
        .nullable(),
      tokens: tokenCountsSchema,
      webSearches: z.int().nonnegative().max(MAX_TOKENS_PER_CALL),
    }),
  )
  .min(1)
  .max(MAX_PARTS)

/**
 * Reads the parts of a response that bills more than one request.
 * @param text JSON of `UsagePart[]`
 * @param problems what is wrong is added here; the answer is then of no use
 */
export function readUsageParts(text: string, problems: string[]): readonly UsagePart[] {
  const parsed = partsSchema.safeParse(parseJson(text))
  if (!parsed.success) {
    problems.push(`${ATTR_USAGE_PARTS} holds no usage parts`)
    return []
  }
  for (const [index, { tokens }] of parsed.data.entries()) {
    for (const problem of tokenProblems(tokens)) {
      problems.push(`${ATTR_USAGE_PARTS}[${index}]: ${problem}`)
    }
  }
  return parsed.data
}
