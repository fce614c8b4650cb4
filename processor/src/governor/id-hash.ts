const C1 = 0x239b961b
const C2 = 0xab0e9789
const C3 = 0x38b34ae5
const C4 = 0xa1e38b93

/** 128 bits, in four parts. */
export type IdHash = { a: number; b: number; c: number; d: number }

/**
 * Hashes a text onto a hash: MurmurHash3 of 128 bits (A. Appleby, variant x86_128) over the text's UTF-16 code units,
 * low byte first, with the hash as its seed. Ids that differ differ in it, but for a chance of one in 10^20 with 10^9
 * ids. It resists no attack, and none would win anything: whoever can send a false id can send a true one twice.
 */
export function hashOnto(hash: IdHash, text: string): void {
  let { a, b, c, d } = hash
  const blocks = text.length >> 3
  for (let block = 0; block < blocks; block++) {
    const at = block << 3
    a ^= scramble(word(text, at), C1, 15, C2)
    a = (Math.imul((rotate(a, 19) + b) | 0, 5) + 0x561ccd1b) | 0
    b ^= scramble(word(text, at + 2), C2, 16, C3)
    b = (Math.imul((rotate(b, 17) + c) | 0, 5) + 0x0bcaa747) | 0
    c ^= scramble(word(text, at + 4), C3, 17, C4)
    c = (Math.imul((rotate(c, 15) + d) | 0, 5) + 0x96cd1c35) | 0
    d ^= scramble(word(text, at + 6), C4, 18, C1)
    d = (Math.imul((rotate(d, 13) + a) | 0, 5) + 0x32ac3b17) | 0
  }
  const rest = blocks << 3
  if (rest < text.length) {
    a ^= scramble(wordAtEnd(text, rest), C1, 15, C2)
    b ^= scramble(wordAtEnd(text, rest + 2), C2, 16, C3)
    c ^= scramble(wordAtEnd(text, rest + 4), C3, 17, C4)
    d ^= scramble(wordAtEnd(text, rest + 6), C4, 18, C1)
  }
  finish(hash, a, b, c, d, text.length * 2)
}

function finish(hash: IdHash, a: number, b: number, c: number, d: number, bytes: number): void {
  b ^= bytes
  c ^= bytes
  d ^= bytes
  const sum = (((a ^ bytes) + b) | 0) + ((c + d) | 0)
  a = avalanche(sum)
  b = avalanche(b + sum)
  c = avalanche(c + sum)
  d = avalanche(d + sum)
  a = (((a + b) | 0) + ((c + d) | 0)) | 0
  hash.a = a
  hash.b = (b + a) | 0
  hash.c = (c + a) | 0
  hash.d = (d + a) | 0
}

/** Two code units. */
function word(text: string, at: number): number {
  return text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16)
}

/** As `word`; units beyond the end are 0. */
function wordAtEnd(text: string, at: number): number {
  const unit = (index: number) => (index < text.length ? text.charCodeAt(index) : 0)
  return unit(at) | (unit(at + 1) << 16)
}

function scramble(value: number, factor: number, bits: number, factor2: number): number {
  return Math.imul(rotate(Math.imul(value, factor), bits), factor2)
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}

function avalanche(value: number): number {
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return value ^ (value >>> 16)
}
