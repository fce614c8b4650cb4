import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { startProcessorProcess } from '../support/processes.ts'
import { usageEvents } from './support/log-events.ts'
import { billedTokens, startStage } from './support/stage.ts'

const MINUTE_MS = 60_000
/** Longer than credit may be spent without an answer. */
const CREDIT_IS_OVER_MS = 31_000

const call = (agent: string) => ({ agent, maxTokens: 20, output: 20 })

test(
  'while the processor is away each budget does as it says, and all is counted when it is back',
  { timeout: 60_000 },
  async (t) => {
    const stage = await startStage(
      t,
      `version: 1
budgets:
  - { id: degrades, match: { agent: degrades }, window: lifetime, limit: { tokens: 100000 }, grace: 3m, maxWait: 1s }
  - { id: bounded, match: { agent: bounded }, window: lifetime, limit: { tokens: 2800 }, grace: 3m, maxWait: 1s }
  - { id: refuses, match: { agent: refuses }, window: lifetime, limit: { tokens: 100000 }, stale: refuse, maxWait: 1s }
  - { id: allows, match: { agent: allows }, window: lifetime, limit: { tokens: 100000 }, stale: allow, bestEffort: true }
`,
    )
    const { processor, provider } = stage
    const caller = stage.commanded()
    for (const agent of ['degrades', 'bounded', 'refuses', 'allows']) {
      for (let count = 0; count < 60; count++) {
        assert.equal((await caller.call(call(agent))).status, 200)
      }
    }
    await processor.stop('SIGKILL')

    // Credit at hand may be spent for a while.
    assert.equal((await caller.call(call('refuses'))).status, 200)
    await caller.moveClock(CREDIT_IS_OVER_MS)
    assert.equal((await caller.call(call('allows'))).status, 200)
    const stale = await caller.call(call('refuses'))
    assert.equal(stale.status, 403)
    assert.match(stale.message, /the governor cannot be reached/)
    assert.ok(stale.tookMs >= 900, 'a processor that just starts is waited for')
    const again = await caller.call(call('refuses'))
    assert.ok(again.status === 403 && again.tookMs < 500, 'but only once')

    // It goes on at its pace: some at once, more as time passes, none beyond the limit, none after the grace.
    const some = await caller.call({ ...call('degrades'), untilRefused: true })
    assert.ok(some.answered > 0 && some.answered < 60, `${some.answered} calls went on`)
    await caller.moveClock(MINUTE_MS)
    const more = await caller.call({ ...call('degrades'), untilRefused: true })
    assert.ok(more.answered > some.answered, `${more.answered} calls went on`)
    const bounded = await caller.call({ ...call('bounded'), untilRefused: true })
    assert.ok(bounded.answered > 0)
    await caller.moveClock(3 * MINUTE_MS)
    assert.equal((await caller.call(call('degrades'))).status, 403)
    assert.equal((await caller.call(call('allows'))).status, 200)

    const { dataDirectory, port } = processor
    const policyFile = join(stage.folder, 'tokenfuse.yaml')
    const back = await startProcessorProcess(dataDirectory, { port, policyFile })
    t.after(() => back.stop())
    for (;;) {
      t.signal.throwIfAborted()
      if ((await caller.call(call('refuses'))).status === 200) break
    }
    await caller.end()
    const status = await back.status()
    const spent = (id: string) => Number(status.budgets.find(({ budget }) => budget === id)?.spent)
    assert.ok(spent('bounded') <= 2800, `${spent('bounded')} tokens`)
    const ids = ['degrades', 'bounded', 'refuses', 'allows']
    const all = ids.reduce((sum, id) => sum + spent(id), 0)
    assert.equal(all, await billedTokens(provider))
    const bases = usageEvents(stage).map(({ event }) => event.verdict?.basis)
    assert.equal(
      bases.filter((basis) => basis === 'last_known').length,
      some.answered + more.answered + bounded.answered + 2,
    )
  },
)

for (const { onStart, status } of [
  { onStart: 'allow', status: 200 },
  { onStart: 'refuse', status: 403 },
]) {
  test(`with no processor and no policy known, TOKENFUSE_ON_START=${onStart} decides`, async (t) => {
    const stage = await startStage(t, 'version: 1')
    const caller = stage.commanded({
      TOKENFUSE_URL: 'http://127.0.0.1:9',
      TOKENFUSE_ON_START: onStart,
    })
    const result = await caller.call(call('a'))
    assert.equal(result.status, status)
    if (onStart === 'refuse') assert.match(result.message, /TOKENFUSE_ON_START says refuse/)
    assert.equal((await stage.provider.ledger()).length, onStart === 'allow' ? 1 : 0)
    // What it left says by what it went.
    await caller.end()
    const [entry] = usageEvents(stage)
    assert.equal(entry?.event.verdict?.basis, onStart === 'allow' ? 'nothing' : undefined)
  })
}

test('a process that starts while the processor is away knows the budgets of before, and what calls cost', async (t) => {
  const stage = await startStage(
    t,
    `version: 1
budgets:
  - { id: refuses, match: { agent: refuses }, window: lifetime, limit: { usd: 1 }, stale: refuse }
  - { id: degrades, match: { agent: degrades }, window: lifetime, limit: { usd: 0.0005 } }
`,
  )
  const before = stage.commanded()
  assert.equal((await before.call(call('degrades'))).status, 200)
  await before.end()
  await stage.processor.stop('SIGKILL')
  const after = stage.commanded()
  assert.equal((await after.call(call('refuses'))).status, 403)
  const own = await after.call({ ...call('degrades'), untilRefused: true })
  // 20 tokens of answer at 0.60 USD a million and some 50 of prompt at 0.15 are about 20 micro-USD.
  assert.ok(own.answered > 10 && own.answered < 40, `${own.answered} calls went on`)
  const strict = stage.commanded({ TOKENFUSE_ON_START: 'refuse' })
  assert.equal((await strict.call(call('degrades'))).status, 403)
  for (const { child } of [after, strict]) child.kill()
})
