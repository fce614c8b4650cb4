import assert from 'node:assert/strict'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { test } from 'node:test'
import type { BudgetStatus } from '@tokenfuse/protocol'
import { type Stage, startStage } from './support/stage.ts'

/** Longer than a guard may be silent before its credit is held; the next step is longer than until it is settled. */
const CLOCK_STEP_MS = 33_000

/** Resolves when the counter is as it should be; the processor looks within a second after something has happened. */
async function until(
  stage: Stage,
  signal: AbortSignal,
  isReached: (status: BudgetStatus) => boolean,
): Promise<BudgetStatus> {
  for (;;) {
    signal.throwIfAborted()
    const status = await stage.budget('all')
    if (status && isReached(status)) return status
    await wait(20)
  }
}

test(
  'the credit of an agent that was killed is held, so that nobody can spend it again, and settled in the end',
  { timeout: 30_000 },
  async (t) => {
    const stage = await startStage(
      t,
      `version: 1
budgets: [{ id: all, window: lifetime, limit: { tokens: 800 }, settleAfter: 2m, maxWait: 30s }]`,
      { processor: { CLOCK_STEP_MS: String(CLOCK_STEP_MS) } },
    )
    const { provider, processor } = stage
    const moveClock = () => process.kill(processor.pid, 'SIGUSR2')
    const victim = stage.commanded()
    const lost = victim.call({ agent: 'victim', maxTokens: 700, output: 700, fault: 'delay:60000' })
    lost.catch(() => {})
    while ((await provider.inFlight()).length === 0) t.signal.throwIfAborted()
    victim.child.kill('SIGKILL')
    await once(victim.child, 'exit')

    // The other one would need what the killed one was lent.
    const other = stage.commanded()
    const waiting = other.call({ agent: 'other', maxTokens: 400, output: 400 })
    await until(stage, t.signal, ({ outstanding }) => Number(outstanding) > 700)
    moveClock()
    const held = await until(stage, t.signal, (status) => Number(status.held) >= 700)
    const refused = await waiting
    assert.equal(refused.status, 403, refused.message)
    assert.match(refused.message, /what is left is spoken for/)
    assert.equal(held.spent, '0')
    assert.equal((await provider.ledger()).filter(({ label }) => label === 'other/').length, 0)

    moveClock()
    // Something has to happen before the processor looks at the time again.
    await other.call({ agent: 'other', maxTokens: 400, output: 400 })
    const settled = await until(stage, t.signal, ({ held: left }) => left === '0')
    assert.ok(Number(settled.unconfirmed) >= 700)
    assert.equal(settled.spent, settled.unconfirmed)
    await other.end()
    assert.ok((await processor.status()).total.refusedCalls >= 2)
  },
)
