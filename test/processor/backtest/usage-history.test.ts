import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UsageHistory } from '../../../processor/src/backtest/usage-history.ts'
import { usageEvent } from '../../support/usage-event.ts'

/** Two calls, at 22:30 and 23:30 of each of four days in UTC; in Berlin the second is of the next day. */
const CALLS = [1, 2, 3, 4].flatMap((day) =>
  ['22:30', '23:30'].map((time) =>
    usageEvent({ time: `2026-01-0${day}T${time}:00.000Z`, costPicoUsd: '7' }),
  ),
)

function daysIn(timezone: string): [string, bigint][] {
  const history = new UsageHistory(timezone, 'usd')
  for (const call of CALLS) history.add(call)
  return [...history.days].sort(([a], [b]) => (a < b ? -1 : 1))
}

test('days are those of the time zone', () => {
  assert.deepEqual(daysIn('UTC'), [
    ['2026-01-01', 14n],
    ['2026-01-02', 14n],
    ['2026-01-03', 14n],
    ['2026-01-04', 14n],
  ])
  assert.deepEqual(daysIn('Europe/Berlin'), [
    ['2026-01-01', 7n],
    ['2026-01-02', 14n],
    ['2026-01-03', 14n],
    ['2026-01-04', 14n],
    ['2026-01-05', 7n],
  ])
})

test('amounts are USD or tokens, an unknown count adding none', () => {
  const { tokens } = usageEvent()
  const history = new UsageHistory('UTC', 'tokens')
  history.add(usageEvent({ tokens: { ...tokens, input: 100, output: 11 } }))
  history.add(usageEvent({ tokens: { ...tokens, input: null, output: 3 } }))
  assert.deepEqual([...history.days.values()], [114n])
})
