import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LedgerEntry } from '../support/provider/client.ts'
import { usageEvents } from './support/log-events.ts'
import { startStage } from './support/stage.ts'

const tokensOf = (entries: readonly LedgerEntry[]) =>
  entries.reduce((sum, { tokens }) => sum + tokens.input + tokens.output, 0)

/** A zone whose hours begin and end at least 15 minutes from now. */
function zoneFarFromItsHour(): string {
  const minute = new Date().getUTCMinutes()
  return minute >= 15 && minute < 45 ? 'UTC' : 'Asia/Kolkata'
}

test('a clock that is an hour wrong changes neither when a call counts nor how much may be spent', async (t) => {
  const stage = await startStage(
    t,
    `version: 1
timezone: ${zoneFarFromItsHour()}
budgets: [{ id: hourly, per: [agent], window: hour, limit: { tokens: 2000 } }]`,
  )
  const shifts = { right: 0, ahead: 3_600_000, behind: -3_600_000 }
  await Promise.all(
    Object.entries(shifts).map(async ([agent, shiftMs]) => {
      const caller = stage.commanded({ CLOCK_SHIFT_MS: String(shiftMs) })
      const last = await caller.call({ agent, maxTokens: 200, output: 150, untilRefused: true })
      assert.equal(last.status, 403, last.message)
      await caller.end()
    }),
  )
  const ledger = await stage.provider.ledger()
  for (const agent of Object.keys(shifts)) {
    const billed = tokensOf(ledger.filter(({ label }) => label === `${agent}/`))
    assert.ok(billed <= 2000 && billed > 1800, `${agent} was billed ${billed} tokens`)
    // The counter is that of the hour that it is.
    assert.equal((await stage.budget('hourly', `agent=${agent}`))?.spent, String(billed))
  }
  for (const { event, logTimeMs } of usageEvents(stage)) {
    const lateMs = logTimeMs - (Date.parse(event.time) + event.durationMs)
    assert.ok(lateMs > -500 && lateMs < 10_000, `${event.agent} ended ${lateMs} ms ago`)
  }
})

test('processes that share a task share its budget, and another task has its own', async (t) => {
  const stage = await startStage(
    t,
    'version: 1\nbudgets: [{ id: tasks, per: [task], window: lifetime, limit: { tokens: 4000 } }]',
  )
  const callers = [stage.commanded(), stage.commanded(), stage.commanded()]
  await Promise.all(callers.map((caller) => caller.ready()))
  const ends = await Promise.all(
    callers.map((caller, index) =>
      caller.call({
        agent: `a-${index}`,
        task: index === 2 ? 'alone' : 'shared',
        maxTokens: 100,
        output: 80,
        untilRefused: true,
      }),
    ),
  )
  await Promise.all(callers.map((caller) => caller.end()))
  const ledger = await stage.provider.ledger()
  for (const task of ['shared', 'alone']) {
    const billed = tokensOf(ledger.filter(({ label }) => label?.endsWith(`/${task}`)))
    assert.ok(billed <= 4000 && billed > 3800, `${task} was billed ${billed} tokens`)
    assert.equal((await stage.budget('tasks', `task=${task}`))?.spent, String(billed))
  }
  for (const { answered } of ends) assert.ok(answered > 0, 'each of them had its part')
})

test('near the end of a budget an answer is cut by the limit on the wire, and its call says so', async (t) => {
  const stage = await startStage(
    t,
    'version: 1\nbudgets: [{ id: small, window: lifetime, limit: { tokens: 400 } }]',
  )
  const caller = stage.commanded()
  const asked = { agent: 'a', output: 1000 }
  const own = await caller.call({ ...asked, maxTokens: 1000 })
  assert.equal(own.status, 200, own.message)
  assert.equal(own.finish, 'length')
  const refused = await caller.call(asked)
  assert.equal(refused.status, 403)
  await caller.end()
  const [entry, ...others] = await stage.provider.ledger()
  assert.deepEqual(others, [])
  assert.ok(entry?.maxOutputTokens && entry.maxOutputTokens < 400)
  assert.equal(entry.tokens.output, entry.maxOutputTokens)
  assert.ok(tokensOf([entry]) <= 400)
  const verdicts = usageEvents(stage).map(({ event }) => event.verdict)
  assert.deepEqual(
    verdicts.map((verdict) => [verdict?.action, verdict?.cap]),
    [
      ['cap_output', entry.maxOutputTokens],
      ['block', null],
    ],
  )
  assert.equal(verdicts[1]?.decision, refused.decision)
})
