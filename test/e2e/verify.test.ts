import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verifyCalls } from '../verify/calls/run.ts'

test('every call of a mixed load by several processes is metered as the stand-in bills it', async () => {
  const told: string[] = []
  const report = await verifyCalls({
    calls: 160,
    agents: 2,
    concurrency: 8,
    seed: 7,
    tell: (line) => told.push(line),
  })
  assert.deepEqual(report.mismatches, [])
  assert.equal(report.calls, 160)
  assert.equal(report.verdicts.mismatched, 0)
  assert.ok(report.verdicts.equal > 100, `${report.verdicts.equal} calls had usage and were equal`)
  assert.ok(report.verdicts.estimated > 0, 'the load has calls without usage')
})
