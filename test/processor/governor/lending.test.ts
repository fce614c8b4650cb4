import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type CreditReport,
  type Criticality,
  type LogEvent,
  policySchema,
  zoneOffsets,
} from '@tokenfuse/protocol'
import type { Effect } from '../../../processor/src/governor/effect.ts'
import { Governor } from '../../../processor/src/governor/governor.ts'

const NOW_MS = Date.UTC(2026, 0, 5, 12)

/** A governor with one hard budget of so many tokens. */
function governing(tokens: number) {
  const governor = new Governor()
  let offset = 0
  const apply = (event: LogEvent, atMs = 0): Effect[] =>
    governor.apply({ offset: ++offset, logTimeMs: NOW_MS + atMs, event })
  const policy = policySchema.parse({
    version: 1,
    budgets: [{ id: 'all', window: 'lifetime', limit: { tokens } }],
  })
  const zone = zoneOffsets('UTC', NOW_MS, NOW_MS)
  apply({ type: 'policy.set', v: 1, tenant: 'default', basedOn: null, policy, zone })
  return { governor, apply }
}

function report(
  guard: string,
  sequence: number,
  amounts: Partial<Record<'used' | 'reserved' | 'returned' | 'need' | 'want', number>>,
  criticality: Criticality = 'normal',
): CreditReport {
  const text = (name: keyof typeof amounts) => String(amounts[name] ?? 0)
  return {
    type: 'credit.report',
    v: 1,
    tenant: 'default',
    guard,
    sequence,
    closing: false,
    accounts: [
      {
        budget: 'all',
        scope: '*',
        windowFromMs: sequence === 1 ? null : 0,
        since: null,
        used: text('used'),
        reserved: text('reserved'),
        returned: text('returned'),
        need: text('need'),
        want: text('want'),
        criticality,
      },
    ],
  }
}

const recalled = (effects: readonly Effect[]) =>
  effects.flatMap((effect) => (effect.type === 'recall' ? [effect.guard] : []))

test('a guard that was lent everything is asked for it as soon as another waits, though it has reported no call yet', () => {
  const { apply } = governing(1000)
  apply(report('guard-01', 1, { need: 100, want: 1000 }))
  const effects = apply(report('guard-02', 1, { need: 100, want: 100 }), 10)
  assert.deepEqual(recalled(effects), ['guard-01'])
})

const credited = (effects: readonly Effect[]) =>
  effects.flatMap((effect) =>
    effect.type === 'credit' ? effect.accounts.map(({ lent }) => `${effect.guard} ${lent}`) : [],
  )

test('of calls that wait those that matter most are served first, whoever waits longest', () => {
  const { apply } = governing(1000)
  apply(report('guard-01', 1, { need: 1000, want: 1000 }, 'critical'))
  apply(report('guard-02', 1, { need: 100, want: 100 }, 'normal'), 10)
  apply(report('guard-03', 1, { need: 100, want: 100 }, 'critical'), 20)
  // Half of what was lent comes back, of which a tenth of the limit is kept for critical calls.
  const effects = apply(report('guard-01', 2, { returned: 150 }, 'critical'), 30)
  assert.deepEqual(credited(effects).toSorted(), ['guard-03 100'])
  const more = apply(report('guard-01', 3, { returned: 300 }, 'critical'), 40)
  assert.ok(credited(more).includes('guard-02 100'))
})

test('what is kept for others is not lent, and the guard is told until where its calls get credit', () => {
  const { apply, governor } = governing(1000)
  apply(report('guard-01', 1, { need: 10, want: 10 }, 'normal'))
  // Of the 990 that are left a fifth of the limit is kept.
  apply(report('guard-02', 1, { need: 900, want: 900 }, 'best_effort'), 10)
  const [account] = governor.accounts('guard-02', [
    { budget: 'all', scope: '*', windowFromMs: null },
  ])
  assert.equal(account?.lent, '790')
  assert.equal(account?.state, 'exhausted')
  assert.deepEqual(account?.ceilings, { normal: '1000', bestEffort: '800' })
})
