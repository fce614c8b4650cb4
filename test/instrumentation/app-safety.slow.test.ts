import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CHAT_BODY, chatEvents } from '../support/preload/llm-bodies.ts'
import { sendJson, startLlmServer } from '../support/preload/llm-server.ts'
import { runApp } from '../support/preload/run-app.ts'
import type { AppOptions, AppResult } from '../support/preload/run-app.ts'
import type { TestContext } from 'node:test'

const WARNING =
  'tokenfuse: no processor can be reached and no policy is known: calls run unguarded (TOKENFUSE_ON_START=refuse stops them)\n'

/**
 * The same app with and without the preload, with no processor anywhere: that must not matter either, but for the one
 * line that tells of it.
 */
async function both(t: TestContext, source: string, options: AppOptions = {}): Promise<AppResult> {
  const llm = await startLlmServer(t, (request, response) => {
    if (request.body.includes('silent')) return
    if (!request.body.includes('slow')) return sendJson(response, CHAT_BODY)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(chatEvents(['one'], false)[0])
  })
  const env = { TOKENFUSE_URL: 'http://127.0.0.1:9', TOKENFUSE_HOSTS: llm.hosts, LLM: llm.url }
  const app = `
    const call = (model = 'm', rest = {}) => fetch(process.env.LLM + '/v1/chat/completions', {
      method: 'POST', body: JSON.stringify({ model }), ...rest,
    })
    ${source}
  `
  const bare = await runApp(t, app, { ...options, env, preload: false })
  const metered = await runApp(t, app, { ...options, env })
  const comparable = ({ stderr, ...rest }: AppResult) => ({
    ...rest,
    stderr: withoutPlaces(stderr.replace(WARNING, '')),
  })
  assert.deepEqual(comparable(metered), comparable(bare))
  return metered
}

/** Stack traces name files of ours too, and temporary folders differ. */
const withoutPlaces = (stderr: string) =>
  stderr
    .replaceAll(/file:\S*|\/tmp\/\S*/g, 'FILE')
    .split('\n')
    .filter((line) => !/^\s+at /.test(line))
    .join('\n')

test('a process that has nothing more to do ends by itself, with its own exit code', async (t) => {
  const { code } = await both(t, `await (await call()).json(); process.exitCode = 7`)
  assert.equal(code, 7)
})

test('process.exit with calls under way ends at once with its code', async (t) => {
  const { code } = await both(t, `call('slow'); setTimeout(() => process.exit(4), 50)`)
  assert.equal(code, 4)
})

test('an exception of the app ends it as before', async (t) => {
  const { code, stderr } = await both(t, `await call(); throw new RangeError('mine')`)
  assert.equal(code, 1)
  assert.match(stderr, /RangeError: mine/)
})

test('a failed call that nobody handles is one unhandled rejection, of the same error', async (t) => {
  const source = `
    process.on('unhandledRejection', (error) => console.log('unhandled', error.message, error.cause?.code))
    process.on('warning', (warning) => console.log('warning', warning.message))
    fetch('http://127.0.0.1:9/v1/messages', { method: 'POST', body: '{}' })
    const aborted = new AbortController()
    call('silent', { signal: aborted.signal })
    const { body } = await call('slow', { signal: aborted.signal })
    await body.getReader().read()
    aborted.abort()
    await new Promise((resolve) => setTimeout(resolve, 50))
  `
  const { stdout } = await both(t, source)
  assert.equal(stdout.match(/unhandled/g)?.length, 2)
})

const onceReady = (signal: NodeJS.Signals): AppOptions => ({
  onStdout: (text, child) => void (text === 'ready\n' && child.kill(signal)),
})
const waiting = `call('slow').then(() => console.log('ready')); setInterval(() => {}, 1000)`

test('signals end a process as before, whatever it is doing', async (t) => {
  const busy = `await call(); console.log('ready'); await 1; for (;;);`
  const [term, int, hup, whileBusy] = await Promise.all([
    both(t, waiting, onceReady('SIGTERM')),
    both(t, waiting, onceReady('SIGINT')),
    both(t, waiting, onceReady('SIGHUP')),
    both(t, busy, onceReady('SIGTERM')),
  ])
  assert.deepEqual(
    [term.signal, int.signal, hup.signal, whileBusy.signal],
    ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGTERM'],
  )
})

test('a signal handler of the app is the only one, and decides', async (t) => {
  const app = `
    process.on('SIGTERM', () => { console.log(process.listenerCount('SIGTERM')); process.exit(5) })
    ${waiting}
  `
  const { code, stdout } = await both(t, app, onceReady('SIGTERM'))
  assert.deepEqual([code, stdout], [5, 'ready\n1\n'])
})

test('the app has as much room for exit handlers as before', async (t) => {
  const { stderr } = await both(t, `for (let n = 0; n < 10; n++) process.on('exit', () => {})`)
  assert.equal(stderr, '')
})

test('a slow reader holds the sender back as before', async (t) => {
  let writtenBytes = 0
  const llm = await startLlmServer(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    writtenBytes = 0
    const write = () => {
      while (writtenBytes < 64_000_000) {
        writtenBytes += 64_000
        if (!response.write(`: ${'x'.repeat(63_996)}\n\n`))
          return void response.once('drain', write)
      }
      response.end()
    }
    write()
  })
  const app = `
    const response = await fetch(process.env.LLM + '/v1/chat/completions', {
      method: 'POST', body: '{"model":"m","stream":true}',
    })
    const reader = response.body.getReader()
    for (let n = 0; n < 10; n++) await reader.read()
    await new Promise((resolve) => setTimeout(resolve, 300))
    console.log('stopped')
    process.exit()
  `
  const env = { TOKENFUSE_URL: 'http://127.0.0.1:9', TOKENFUSE_HOSTS: llm.hosts, LLM: llm.url }
  let written = 0
  const onStdout = () => void (written = writtenBytes)
  await runApp(t, app, { env, onStdout, preload: false })
  const bare = written
  await runApp(t, app, { env, onStdout })
  // What lies in the buffers of two sockets, several MB at most, is all that may have been sent.
  assert.ok(bare < 32_000_000 && written < 32_000_000, `${bare} and ${written} bytes`)
  assert.ok(written <= bare + 1_000_000, `${written} bytes instead of ${bare}`)
})
