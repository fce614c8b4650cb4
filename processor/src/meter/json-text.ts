/** Longer JSON within an attribute is no usage of ours, and not worth reading. */
const MAX_LENGTH = 65_536

/** @returns `undefined` where the text is no JSON or too long to be read */
export function parseJson(text: string): unknown {
  if (text.length > MAX_LENGTH) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
