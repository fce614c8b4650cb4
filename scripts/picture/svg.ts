import { stripVTControlCharacters } from 'node:util'

const FONT_SIZE = 14
const CHARACTER_WIDTH = 8.43
const LINE_HEIGHT = 20
const PADDING = 20
const MIN_COLUMNS = 80

const BACKGROUND = '#16181d'
const FOREGROUND = '#d7dae0'
/** What a style of `styleText` looks like, by its code. */
const STYLES: Readonly<Record<string, string>> = {
  1: 'font-weight="bold"',
  2: 'fill="#868d99"',
  31: 'fill="#f47067"',
  32: 'fill="#57c077"',
  33: 'fill="#e0b341"',
  36: 'fill="#56c2d6"',
}
/** The codes that end a style, each with what it ends. */
const ENDS: Readonly<Record<string, readonly string[]>> = {
  0: Object.keys(STYLES),
  22: ['1', '2'],
  39: ['31', '32', '33', '36'],
}

/** Draws terminal output, colours included, as an SVG picture of a terminal. */
export function svgOf(text: string): string {
  const lines = text.split('\n')
  const columns = Math.max(
    MIN_COLUMNS,
    ...lines.map((line) => lengthOf(stripVTControlCharacters(line))),
  )
  const width = Math.ceil(columns * CHARACTER_WIDTH + 2 * PADDING)
  const height = lines.length * LINE_HEIGHT + 2 * PADDING
  const rows = lines.map((line, index) => {
    const y = PADDING + (index + 0.75) * LINE_HEIGHT
    return `<text x="${PADDING}" y="${y}" xml:space="preserve">${spans(line)}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<title>Output of npm start</title>
<rect width="100%" height="100%" rx="8" fill="${BACKGROUND}"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${FONT_SIZE}" fill="${FOREGROUND}">
${rows.join('\n')}
</g>
</svg>
`
}

/** One line's text, with its columns held where a terminal has them, whatever the font. */
function spans(line: string): string {
  const active = new Set<string>()
  let column = 0
  let drawn = ''
  // Text and codes take turns: "text", "1;32", "text", "39", ...
  for (const [index, piece] of line.split(CODE).entries()) {
    if (index % 2 === 1) {
      for (const code of piece.split(';')) {
        if (code in STYLES) active.add(code)
        for (const ended of ENDS[code === '' ? '0' : code] ?? []) active.delete(ended)
      }
      continue
    }
    for (const { 0: words, index: at } of piece.matchAll(/\S+(?: \S+)*/g)) {
      drawn += span(words, column + lengthOf(piece.slice(0, at)), active)
    }
    column += lengthOf(piece)
  }
  return drawn
}

// oxlint-disable-next-line no-control-regex
const CODE = /\u001b\[([\d;]*)m/

function span(text: string, column: number, active: ReadonlySet<string>): string {
  const x = (PADDING + column * CHARACTER_WIDTH).toFixed(1)
  const length = (lengthOf(text) * CHARACTER_WIDTH).toFixed(1)
  const styles = [...active].map((code) => ` ${STYLES[code]}`).join('')
  return `<tspan x="${x}" textLength="${length}" lengthAdjust="spacingAndGlyphs"${styles}>${escaped(text)}</tspan>`
}

const lengthOf = (text: string) => Array.from(text).length

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
