/** A number for people: `1,234,567`. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `1 call`, `2 calls`, `1,200 calls`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`
}

/** `820 ms`, `4.2 s`, `3 min 5 s`, `2 h 10 min`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`
  const seconds = milliseconds / 1000
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`
  const minutes = Math.floor(Math.round(seconds) / 60)
  if (minutes < 60) return `${minutes} min ${Math.round(seconds) % 60} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/**
 * A name from outside, fit to be shown: what could move the cursor, change colours or turn the line's direction is
 * replaced, and what is longer than `max` characters is cut.
 */
export function showName(name: string, max = 32): string {
  const safe = name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u00b7')
  const characters = Array.from(safe)
  return characters.length <= max ? safe : `${characters.slice(0, max - 1).join('')}\u2026`
}

/** A text in lines of so many characters at most; a word longer than that is broken. */
export function wrapped(text: string, width: number): string[] {
  const pieces = text.split(' ').flatMap((word) => brokenWord(Array.from(word), width))
  const lines: string[] = []
  let line = ''
  for (const piece of pieces) {
    if (line !== '' && line.length + 1 + piece.length > width) {
      lines.push(line)
      line = piece
    } else line = line === '' ? piece : `${line} ${piece}`
  }
  return [...lines, line]
}

function brokenWord(characters: readonly string[], width: number): string[] {
  const pieces = [characters.slice(0, width).join('')]
  for (let at = width; at < characters.length; at += width) {
    pieces.push(characters.slice(at, at + width).join(''))
  }
  return pieces
}

/** A number in few characters: `12,345,678`, but `123.5M` from a hundred millions on. */
export function formatShort(count: number): string {
  for (const [unit, name] of [
    [1e12, 'T'],
    [1e9, 'G'],
    [1e6, 'M'],
  ] as const) {
    if (count >= unit * 100) return `${(count / unit).toFixed(1)}${name}`
  }
  return formatCount(count)
}
