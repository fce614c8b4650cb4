const BEGIN = 0x811c9dc5
const PRIME = 0x01000193

/**
 * 32 bits of a text, as a whole number that is not negative (FNV-1a over its code units).
 * @param before the hash of the texts before it, where it is one of several
 */
export function hash32(text: string, before = BEGIN): number {
  let hash = before | 0
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), PRIME)
  // Texts cut elsewhere are other texts.
  return Math.imul(hash ^ 0xffff, PRIME) >>> 0
}
