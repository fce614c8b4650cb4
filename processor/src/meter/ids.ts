const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** Lower-case hex of an id's words, or `null` for all zeros, which OTLP takes for no id. */
export function idToHex(words: Int32Array, from: number, count: number): string | null {
  let hex = ''
  let any = 0
  for (let i = from; i < from + count; i++) {
    const word = words[i] as number
    any |= word
    hex += (word >>> 0).toString(16).padStart(8, '0')
  }
  return any === 0 ? null : hex
}

/**
 * An id's bytes from its text in OTLP/JSON: hex, or base64 as some senders write it after plain protobuf JSON. The
 * lengths tell them apart.
 * @returns `null` where it is neither
 */
export function idFromText(text: string, size: number): Uint8Array | null {
  if (text === '') return new Uint8Array(0)
  if (text.length === size * 2) return fromHex(text)
  const digits = text.replace(/={1,2}$/, '')
  return digits.length === Math.ceil((size * 4) / 3) ? fromBase64(digits, size) : null
}

function fromHex(text: string): Uint8Array | null {
  if (!/^[0-9a-fA-F]*$/.test(text)) return null
  return Uint8Array.from({ length: text.length / 2 }, (_, i) =>
    Number.parseInt(text.slice(i * 2, i * 2 + 2), 16),
  )
}

function fromBase64(digits: string, size: number): Uint8Array | null {
  const bytes = new Uint8Array(size)
  let bits = 0
  let bitCount = 0
  let written = 0
  for (const digit of digits.replaceAll('-', '+').replaceAll('_', '/')) {
    const value = BASE64.indexOf(digit)
    if (value < 0) return null
    bits = ((bits << 6) | value) & 0xffff
    bitCount += 6
    if (bitCount < 8) continue
    bitCount -= 8
    if (written < size) bytes[written++] = bits >> bitCount
  }
  return bytes
}
