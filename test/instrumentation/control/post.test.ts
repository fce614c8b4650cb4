import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { TokenfuseError } from '@tokenfuse/protocol'
import { createControlClient } from '../../../instrumentation/src/control/index.ts'
import { cleanEnvironment } from '../telemetry/support/run-agent.ts'
import { temporaryFolder } from '../telemetry/support/spool.ts'

type Reply = { readonly status: number; readonly body: string }

/** A processor that answers posts with what `reply` says; streams are left hanging. */
async function startServer(t: TestContext, reply: (body: unknown, path: string) => Reply) {
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const { status, body } = reply(await json(request), request.url ?? '')
    response.writeHead(status).end(body)
  }
  const server = createServer((request, response) => {
    if (request.method === 'POST') void answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/base/`
  const client = createControlClient({
    environment: { TOKENFUSE_URL: url },
    workingDirectory: temporaryFolder(t),
    guardId: 'guard-0001',
  })
  t.after(() => client.close())
  return { client, url, server }
}

const codeOf = (code: string, retryable: boolean) => (error: unknown) =>
  TokenfuseError.isInstance(error) && error.code === code && error.retryable === retryable

test('a post brings the answer back, below whatever path the processor has', async (t) => {
  const { client } = await startServer(t, (body, path) => ({
    status: 200,
    body: JSON.stringify({ path, body }),
  }))
  assert.deepEqual(await client.post('/v1/credit', { sequence: 1, text: 'ä' }), {
    path: '/base/v1/credit',
    body: { sequence: 1, text: 'ä' },
  })
})

test('an answer without a body is null', async (t) => {
  const { client } = await startServer(t, () => ({ status: 204, body: '' }))
  assert.equal(await client.post('/v1/tasks/t-1/end', {}), null)
})

test('each failure has its code: whether to try again, and what to put right', async (t) => {
  let reply: Reply = { status: 200, body: '' }
  const { client, server } = await startServer(t, () => reply)
  const failsWith = async (given: Reply, code: string, retryable: boolean) => {
    reply = given
    await assert.rejects(client.post('/v1/credit', {}), codeOf(code, retryable))
  }
  await failsWith({ status: 401, body: '{}' }, 'unauthorized', false)
  await failsWith({ status: 403, body: '{}' }, 'unauthorized', false)
  await failsWith({ status: 404, body: '{}' }, 'bad_request', false)
  await failsWith({ status: 503, body: '{}' }, 'processor_unreachable', true)
  await failsWith({ status: 200, body: '{"cut' }, 'processor_unreachable', true)
  await failsWith({ status: 200, body: '1'.repeat(5 * 1024 * 1024) }, 'processor_unreachable', true)
  server.close()
  server.closeAllConnections()
  await assert.rejects(client.post('/v1/credit', {}), codeOf('processor_unreachable', true))
})

test('a post gives up in time', async (t) => {
  const server = createServer(() => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const client = createControlClient({
    environment: { TOKENFUSE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
    workingDirectory: temporaryFolder(t),
    guardId: 'guard-0001',
  })
  t.after(() => client.close())
  const post = client.post('/v1/credit', {}, { timeoutMs: 50, holdsProcess: true })
  await assert.rejects(post, codeOf('processor_unreachable', true))
})

test('a process waits for an answer that the app waits for, and for no other', async (t) => {
  const client = JSON.stringify(
    new URL('../../../instrumentation/src/control/index.ts', import.meta.url).href,
  )
  const server = createServer((request, response) => {
    if (request.method === 'POST') setTimeout(() => response.end('{"answer":42}'), 200)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const run = async (holdsProcess: boolean) => {
    const code = `import { createControlClient } from ${client}
      const surroundings = { environment: process.env, workingDirectory: '/', guardId: 'guard-0001' }
      const answer = await createControlClient(surroundings)
        .post('/v1/credit', {}, { holdsProcess: ${holdsProcess} })
      console.log(answer.answer)`
    const child = spawn(
      process.execPath,
      ['-C', 'tokenfuse-source', '--input-type=module', '-e', code],
      { env: { ...cleanEnvironment(), TOKENFUSE_URL: url }, stdio: ['ignore', 'pipe', 'ignore'] },
    )
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    const [status] = (await once(child, 'close')) as [number]
    return { status, output }
  }
  assert.deepEqual(await run(true), { status: 0, output: '42\n' })
  // 13: the await at the top never came to an end.
  assert.deepEqual(await run(false), { status: 13, output: '' })
})
