import assert from 'node:assert/strict'
import { test } from 'node:test'
import { svgOf } from '../../../scripts/picture/svg.ts'

const spans = (text: string) =>
  [...svgOf(text).matchAll(/<tspan x="([\d.]+)"[^>]*?"spacingAndGlyphs"([^>]*)>([^<]*)</g)].map(
    ([, x, style = '', content]) => ({ x: Number(x), style: style.trim(), content }),
  )

test('a picture keeps colours where they begin and end, and columns where the terminal has them', () => {
  const drawn = spans('a  \u001b[1m\u001b[32mok\u001b[39m\u001b[22m  <b> & c')
  assert.deepEqual(
    drawn.map(({ style, content }) => [content, style]),
    [
      ['a', ''],
      ['ok', 'font-weight="bold" fill="#57c077"'],
      ['&lt;b&gt; &amp; c', ''],
    ],
  )
  const [first = 0, second = 0, third = 0] = drawn.map(({ x }) => x)
  // "ok" stands in column 3 and "<b>" in column 7.
  const column = (second - first) / 3
  assert.ok(Math.abs(third - first - 7 * column) < 0.2)
})

test('a line wider than the rest widens the picture, and no control character gets into it', () => {
  const width = (text: string) => Number(/width="(\d+)"/.exec(svgOf(text))?.[1])
  assert.equal(width('x'), width('x'.repeat(80)))
  assert.ok(width('x'.repeat(100)) > width('x'))
  assert.ok(!svgOf('\u001b[31mred\u001b[0m').includes('\u001b'))
})
