import { endOfString, skipSpace } from './json-text.ts'

/**
 * A JSON object's text with one of its members set, and every other character as it was: parsing and writing it
 * again would change numbers that JavaScript cannot hold.
 * @param objectText valid JSON of an object
 * @param value valid JSON
 */
export function withMember(objectText: string, name: string, value: string): string {
  const open = skipSpace(objectText, 0)
  let at = skipSpace(objectText, open + 1)
  const member = `${JSON.stringify(name)}:${value}`
  if (objectText[at] === '}') return splice(objectText, open + 1, open + 1, member)
  let found: readonly [start: number, end: number] | null = null
  while (objectText[at] === '"') {
    const nameEnd = afterString(objectText, at)
    const start = skipSpace(objectText, skipSpace(objectText, nameEnd) + 1)
    const end = endOfValue(objectText, start)
    // Of members with one name the last counts.
    if (JSON.parse(objectText.slice(at, nameEnd)) === name) found = [start, end]
    at = skipSpace(objectText, skipSpace(objectText, end) + 1)
  }
  return found
    ? splice(objectText, found[0], found[1], value)
    : splice(objectText, open + 1, open + 1, `${member},`)
}

function splice(text: string, start: number, end: number, inserted: string): string {
  return text.slice(0, start) + inserted + text.slice(end)
}

const AFTER_PRIMITIVE = /[\s,\]}]/

/** The index after the value that begins at `start`. */
function endOfValue(text: string, start: number): number {
  const first = text[start]
  if (first === '"') return afterString(text, start)
  if (first !== '{' && first !== '[') {
    let end = start
    while (end < text.length && !AFTER_PRIMITIVE.test(text.charAt(end))) end += 1
    return end
  }
  let depth = 0
  for (let at = start; at < text.length; at += 1) {
    const character = text[at]
    if (character === '"') at = afterString(text, at) - 1
    else if (character === '{' || character === '[') depth += 1
    else if (character === '}' || character === ']') depth -= 1
    if (depth === 0) return at + 1
  }
  return text.length
}

/** The index after the string that opens at `quote`; the text's end where it is not closed, so that no loop turns back. */
function afterString(text: string, quote: number): number {
  const end = endOfString(text, quote + 1)
  return end < 0 ? text.length : end + 1
}
