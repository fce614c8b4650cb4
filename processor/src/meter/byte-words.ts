/** Bytes are hashed and compared in words of so many, wherever they stand. */
export const WORD_BYTES = 4

/**
 * A hash of at least four bytes, from those in the middle and at the end: names and ids begin alike more often than
 * not. All its bits are equally good.
 */
export function hashOf(bytes: DataView, start: number, end: number): number {
  const length = end - start
  const middle = bytes.getInt32(start + ((length - WORD_BYTES) >> 1), true)
  const last = bytes.getInt32(end - WORD_BYTES, true)
  let hash = Math.imul(middle, 0x9e3779b1) ^ Math.imul(last + length, 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 16), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}

/** Compares two runs of at least four bytes, the last word of which may overlap the one before. */
export function sameBytes(bytes: DataView, a: number, b: number, length: number): boolean {
  const last = length - WORD_BYTES
  for (let i = 0; i < last; i += WORD_BYTES) {
    if (bytes.getInt32(a + i, true) !== bytes.getInt32(b + i, true)) return false
  }
  return bytes.getInt32(a + last, true) === bytes.getInt32(b + last, true)
}
