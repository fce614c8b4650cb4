/** A name longer than this is shortened; a tag's name or value at half of it. */
export const MAX_NAME_LENGTH = 256
export const MAX_TAG_LENGTH = 128

const CONTROL_CHARACTER = /\p{Cc}/u
const CONTROL_CHARACTERS = /\p{Cc}/gu
const DIGEST_LENGTH = 16

/**
 * A name as an event may carry it: control characters, which could cut a key or steer a terminal, become U+FFFD; one
 * that is too long keeps its beginning and ends in `…` and a digest of the whole, so that two long names which begin
 * alike stay two.
 */
export function boundedName(text: string, maxLength = MAX_NAME_LENGTH): string {
  const clean = CONTROL_CHARACTER.test(text) ? text.replace(CONTROL_CHARACTERS, '\uFFFD') : text
  if (clean.length <= maxLength) return clean
  const kept = clean.slice(0, maxLength - DIGEST_LENGTH - 1).toWellFormed()
  return `${kept}…${digest(clean, 0x811c9dc5)}${digest(clean, 0x9e3779b9)}`
}

/** FNV-1a over UTF-16 code units: eight hex digits. Tells names apart; hides nothing and resists nobody. */
function digest(text: string, seed: number): string {
  let hash = seed
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash ^= hash >>> 15
  return (hash >>> 0).toString(16).padStart(8, '0')
}
