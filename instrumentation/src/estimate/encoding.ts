export type EncodingName = 'o200k_base' | 'cl100k_base'

/**
 * The encoding of a model, that of today's models where it is not known. Anthropic publishes none; o200k is near
 * enough for an estimate.
 */
export function encodingFor(model: string): EncodingName {
  const isOlder = /^(gpt-4(?!o|\.|-o)|gpt-3\.5|gpt-35|text-embedding-|text-davinci-)/.test(model)
  return isOlder ? 'cl100k_base' : 'o200k_base'
}
