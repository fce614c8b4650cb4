import type { Dialect } from '../providers/index.ts'
import { requestSegments, segmentBytes } from './segments.ts'
import type { Segments } from './segments.ts'

/** A call of whose usage the provider said nothing. */
export type EstimateRequest = {
  readonly model: string
  /** `null` where the request could not be read. */
  readonly input: Segments | null
  /** What was generated as far as it was seen; `null` where the response could not be read. */
  readonly output: string | null
}

export type Estimate = {
  /** Tokens; `null` stays unknown. */
  readonly input: number | null
  readonly output: number | null
  /** `estimate_heuristic` where no tokenizer counted. */
  readonly problems: readonly string[]
}

export const PROBLEM_HEURISTIC = 'estimate_heuristic'
/** English has about four bytes to a token in UTF-8; other scripts have more bytes and more tokens a character. */
const BYTES_PER_TOKEN = 4

export function estimateRequest(
  model: string,
  dialect: Dialect,
  body: Readonly<Record<string, unknown>> | null,
  output: string | null,
): EstimateRequest {
  return { model, input: body === null ? null : requestSegments(dialect, body), output }
}

/** At once and without a tokenizer. */
export function heuristicEstimate({ input, output }: EstimateRequest): Estimate {
  const tokens = (bytes: number) => Math.ceil(bytes / BYTES_PER_TOKEN)
  return {
    input: input === null ? null : tokens(segmentBytes(input)) + input.extraTokens,
    output: output === null ? null : tokens(Buffer.byteLength(output)),
    problems: [PROBLEM_HEURISTIC],
  }
}
