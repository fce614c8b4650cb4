/**
 * Questions to JSON that was not parsed. A quote inside a JSON string is always escaped, so a name that is
 * searched together with its closing quote, and followed by a colon, cannot be inside a string.
 */
const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a

/** The index of the first character at or after `from` that is no JSON white space. */
export function skipSpace(text: string, from: number): number {
  let at = from
  for (;;) {
    const code = text.charCodeAt(at)
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return at
    at += 1
  }
}

/** The index of the quote that ends the string whose content begins at `from`; -1 where it does not end. */
export function endOfString(text: string, from: number): number {
  let end = text.indexOf('"', from)
  while (end >= 0) {
    let escapes = 0
    while (end - escapes > from && text.charCodeAt(end - escapes - 1) === BACKSLASH) escapes += 1
    if (escapes % 2 === 0) return end
    end = text.indexOf('"', end + 1)
  }
  return -1
}

/**
 * Whether some member of this name, at any depth, has a value that opens with this character.
 * @param name the end of the name with its quote, such as `usage"`
 */
export function hasMember(text: string, name: string, opener: string): boolean {
  let at = text.indexOf(name)
  while (at >= 0) {
    at += name.length
    if (text[startOfValue(text, at)] === opener) return true
    at = text.indexOf(name, at)
  }
  return false
}

/** The texts that members of this name hold, at any depth, one after the other; escapes as they are. */
export function textMembers(text: string, name: string): string {
  let found = ''
  let at = text.indexOf(name)
  while (at >= 0) {
    at += name.length
    const value = startOfValue(text, at)
    if (text.charCodeAt(value) === QUOTE) {
      const end = endOfString(text, value + 1)
      found += text.slice(value + 1, end < 0 ? text.length : end)
      if (end < 0) return found
      at = end + 1
    }
    at = text.indexOf(name, at)
  }
  return found
}

/** The index of the value after a name that ends before `nameEnd`; -1 where no colon follows, as after a value. */
function startOfValue(text: string, nameEnd: number): number {
  const colon = skipSpace(text, nameEnd)
  return text.charCodeAt(colon) === COLON ? skipSpace(text, colon + 1) : -1
}

const TYPE_FIRST = '{"type":"'

/** The `type` of an object that begins with it; `null` where something else, or white space, comes first. */
export function leadingType(text: string): string | null {
  if (!text.startsWith(TYPE_FIRST)) return null
  const end = text.indexOf('"', TYPE_FIRST.length)
  return end < 0 ? null : text.slice(TYPE_FIRST.length, end)
}
