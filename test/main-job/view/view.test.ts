import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import type { UsageTotals } from '@tokenfuse/protocol'
import { BEFORE_START, type Moment } from '../watch.ts'
import { createView, type Screen } from './view.ts'

/** A screen that keeps what would be seen: it knows line ends, cursor up, clear below, and no colours. */
function fakeScreen(size: { isTTY: boolean; columns?: number; rows?: number }) {
  const lines = ['']
  let row = 0
  const put = (token: string) => {
    // oxlint-disable-next-line no-control-regex
    const up = /^\u001b\[(\d+)A$/.exec(token)
    if (up) row -= Number(up[1])
    else if (token === '\u001b[J') lines.splice(row, Infinity, '')
    else if (token === '\n') lines[++row] ??= ''
    else if (token !== '\r' && !token.startsWith('\u001b')) lines[row] += token
  }
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      // oxlint-disable-next-line no-control-regex
      for (const token of chunk.toString().match(/\u001b\[[?\d]*[A-Za-z]|\n|\r|[^\u001b\n\r]+/g) ??
        []) {
        put(token)
      }
      done()
    },
  })
  return { screen: Object.assign(stream, size) as Screen, seen: () => lines.join('\n') }
}

function momentAfter(calls: number): Moment {
  const usage = {
    calls,
    inputTokens: calls * 5_000,
    outputTokens: calls,
    costPicoUsd: '0',
    refusedCalls: 0,
  } as UsageTotals
  const agents = BEFORE_START.agents.map((agent) => ({
    ...agent,
    usage,
    state: 'working' as const,
  }))
  return { agents, total: usage }
}

test('on a terminal one table is drawn over itself and its columns stay where they are', () => {
  const { screen, seen } = fakeScreen({ isTTY: true, columns: 80, rows: 24 })
  const view = createView(screen, { onlyLast: false })
  view.show(BEFORE_START)
  const first = seen()
  for (const calls of [1, 20, 999]) view.show(momentAfter(calls))
  view.finish(momentAfter(1000))
  const last = seen()
  assert.equal(last.split('\n').length, first.split('\n').length)
  assert.equal(last.split('\n')[2], first.split('\n')[2])
  assert.match(last, /^writer +1,000 +5,000,000 /m)
  assert.doesNotMatch(last, /999/)
})

test('in a pipe, and on a screen too small to draw on, only what has changed is written, line by line', () => {
  for (const size of [{ isTTY: false }, { isTTY: true, columns: 60, rows: 24 }]) {
    const { screen, seen } = fakeScreen(size)
    const view = createView(screen, { onlyLast: false })
    view.show(BEFORE_START)
    view.show(momentAfter(1))
    view.show(momentAfter(1))
    assert.equal(seen().match(/^agent /gm)?.length, 1)
    assert.equal(seen().match(/^writer /gm)?.length, 2)
  }
})
