import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { BudgetsAnswer, StatusAnswer } from '@tokenfuse/protocol'
import { startProcessor } from '../../../processor/src/start-processor.ts'
import { ask, temporaryFolder } from '../../support/processor.ts'

test('a run keeps its budget over a restart, and leaves no policy behind that would be missed', async (t) => {
  const dataDirectory = join(temporaryFolder(t), 'data')
  const start = () => startProcessor({ dataDirectory, port: 0 })
  let processor = await start()
  t.after(() => processor.close())
  const send = (method: string, body?: unknown) =>
    fetch(`${processor.url}/v1/budgets/run.r-1.0`, {
      method,
      headers: { authorization: `Bearer ${processor.token}` },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  const put = await send('PUT', { window: 'lifetime', limit: { usd: '5' } })
  assert.equal(put.status, 200)
  await processor.close()
  processor = await start()
  const { budgets } = await ask<BudgetsAnswer>(processor, '/v1/budgets')
  assert.deepEqual(
    budgets.map(({ id }) => id),
    ['run.r-1.0'],
  )
  assert.equal((await send('DELETE')).status, 200)
  await processor.close()
  processor = await start()
  const { policyProblem } = await ask<StatusAnswer>(processor, '/v1/status')
  assert.equal(policyProblem, null)
})
