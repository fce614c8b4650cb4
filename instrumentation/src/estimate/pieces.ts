/** A tokenizer's time grows with the square of a run without spaces (or of nothing but spaces), so runs are cut. */
export const RUN_LENGTH_MAX = 128

/**
 * Cuts a text so that no piece holds a run of more than 128 characters of which none, or all, are white space.
 * Together the pieces are the text. Most texts come back whole.
 */
export function cutLongRuns(text: string): string[] {
  const pieces: string[] = []
  let pieceStart = 0
  let runStart = 0
  let runIsSpace = isSpace(text.charCodeAt(0))
  for (let at = 1; at < text.length; at++) {
    const space = isSpace(text.charCodeAt(at))
    if (space !== runIsSpace) {
      runStart = at
      runIsSpace = space
    } else if (at - runStart >= RUN_LENGTH_MAX && !splitsPair(text, at)) {
      pieces.push(text.slice(pieceStart, at))
      pieceStart = at
      runStart = at
    }
  }
  if (pieceStart < text.length) pieces.push(text.slice(pieceStart))
  return pieces
}

function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13) || code === 0xa0 || code === 0x3000
}

/** Whether a cut here would fall between the halves of one character. */
function splitsPair(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code >= 0xdc00 && code <= 0xdfff
}
