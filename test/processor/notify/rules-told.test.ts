import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import type { StatusAnswer } from '@tokenfuse/protocol'
import { ask, runProcessor, temporaryFolder } from '../../support/processor.ts'
import { callsRequest } from '../../support/spans.ts'

test('a rule that begins to hold is told to the webhook of the policy file, which no log has', async (t) => {
  const texts: string[] = []
  let arrived = () => {}
  const server = createServer((request, response) => {
    request.on('data', (chunk) => texts.push(String(JSON.parse(String(chunk)).text)))
    request.on('end', () => {
      response.end('ok')
      arrived()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const policyFile = join(temporaryFolder(t), 'tokenfuse.yaml')
  writeFileSync(
    policyFile,
    `version: 1
notify: { webhook: "http://127.0.0.1:${port}/SECRET" }
budgets: [{ id: daily, window: day, mode: shadow, limit: { tokens: 100 } }]
`,
  )
  const lines: string[] = []
  const processor = await runProcessor(t, { policyFile, log: (line) => lines.push(line) })
  const told = new Promise<void>((resolve) => (arrived = resolve))
  // 110 tokens of 100.
  await ask(processor, '/v1/traces', callsRequest(1))
  await told
  assert.deepEqual(texts, ['[P1] Daily token budget exceeded: 110/100'])
  const status = await ask<StatusAnswer>(processor, '/v1/status')
  assert.equal(status.notify.to, `127.0.0.1:${port}`)
  await processor.processor.close()
  const kept = readdirSync(processor.dataDirectory).map((name) =>
    readFileSync(join(processor.dataDirectory, name), 'latin1'),
  )
  assert.doesNotMatch(lines.join() + JSON.stringify(status) + kept.join(), /SECRET/)
})
