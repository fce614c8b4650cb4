import assert from 'node:assert/strict'
import test from 'node:test'
import { createHttpClient } from '../../../instrumentation/src/transport/http-client.ts'
import { fullBacklog } from '../telemetry/support/full-backlog.ts'

test('where a connect got no answer nobody tries again for a while: in turn they would hold the process', async (t) => {
  const address = await fullBacklog(t)
  if (address === null) return
  const open = (url: string) =>
    createHttpClient().open({ url: new URL(url), method: 'GET', headers: {}, holdsProcess: true })

  const request = open(`${address}/v1/stream`)
  request.on('error', () => {})
  request.end()
  await new Promise((resolve) => request.on('close', resolve))
  assert.throws(() => open(`${address}/v1/credit`), /a moment ago/)
  // Only there.
  open('http://127.0.0.1:1')
    .on('error', () => {})
    .end()
})
