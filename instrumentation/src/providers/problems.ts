import type { TokenProblem } from '@tokenfuse/protocol/names'

/** What a response did that had to be worked around, as stable codes; they travel with the call's telemetry. */
export const RESPONSE_PROBLEMS = {
  event_malformed: 'An event that could carry usage is not a JSON object.',
  event_too_large: 'An event is larger than the reader keeps; its content was dropped.',
  body_malformed: 'The body is not a JSON object.',
  body_too_large: 'The body is larger than the reader keeps; its content was dropped.',
  usage_missing: 'The response ended as it should and carries no usage.',
  token_count_not_a_number: 'A token count is not a number; it was left out.',
  total_mismatch: 'The provider gives a total that is not input + output.',
  stream_spliced:
    'A second message began before the first had ended; the first counts as an attempt.',
  several_responses: 'One stream holds several whole responses; all of them are counted.',
  iterations_mismatch: 'The iterations do not add up to the top level; the iterations are charged.',
  iteration_unknown: 'An iteration is of a kind not known yet; it is charged as a message.',
  image_tokens_unpriced: 'An image tool used tokens of an image model, which are not priced.',
  reader_failed: 'The reader met a bug of its own; what it knew until then was kept.',
} as const

export type ResponseProblem = keyof typeof RESPONSE_PROBLEMS | TokenProblem

/** Adds a code once, so that a list of problems cannot grow with the length of a stream. */
export function note(problems: ResponseProblem[], problem: ResponseProblem): void {
  if (!problems.includes(problem)) problems.push(problem)
}
