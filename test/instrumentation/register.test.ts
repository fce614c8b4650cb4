import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { isSupported } from '../../instrumentation/src/runtime-version.ts'
import { startFakeProcessor } from '../support/preload/fake-processor.ts'
import { CHAT_BODY } from '../support/preload/llm-bodies.ts'
import { sendJson, startLlmServer } from '../support/preload/llm-server.ts'
import { registerUrl, runApp, temporaryFolder } from '../support/preload/run-app.ts'

const CALL = `fetch(process.env.LLM + '/v1/chat/completions', { method: 'POST', body: '{"model":"m"}' })
  .then((response) => response.json())`

async function surroundings(t: TestContext) {
  const processor = await startFakeProcessor(t)
  const llm = await startLlmServer(t, (_request, response) => sendJson(response, CHAT_BODY))
  const env = { TOKENFUSE_URL: processor.url, TOKENFUSE_HOSTS: llm.hosts, LLM: llm.url }
  return { processor, llm, env }
}

test('ES modules and CommonJS are metered, worker threads and children that start elsewhere too', async (t) => {
  const { processor, env } = await surroundings(t)
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'child.cjs'), `${CALL}.then(() => console.log('child'))`)
  writeFileSync(join(folder, 'worker.mjs'), `await ${CALL}; console.log('worker')`)
  const app = `
    const { Worker } = require('node:worker_threads')
    const { execFile } = require('node:child_process')
    const worker = new Worker(${JSON.stringify(join(folder, 'worker.mjs'))})
    worker.on('exit', () => {
      execFile(process.execPath, ['child.cjs'], { cwd: ${JSON.stringify(folder)} }, (error, stdout) => {
        console.log(error, stdout.trim())
        ${CALL}.then(() => console.log('main'))
      })
    })
  `
  const NODE_OPTIONS = `--conditions=tokenfuse-source --import=${registerUrl}`
  const { code, stdout, stderr } = await runApp(t, app, {
    env: { ...env, NODE_OPTIONS },
    preload: false,
    name: 'app.cjs',
  })
  assert.deepEqual([code, stdout, stderr], [0, 'worker\nnull child\nmain\n', ''])
  const esm = await runApp(t, `await ${CALL}`, { env })
  assert.equal(esm.code, 0)
  const spans = await processor.waitForSpans(4)
  assert.equal(spans.length, 4)
})

test('loaded twice, or by another copy of it, it meters once', async (t) => {
  const { processor, env } = await surroundings(t)
  const app = `
    const before = globalThis.fetch
    await import(${JSON.stringify(`${registerUrl}?copy`)})
    console.log(globalThis.fetch === before)
    await ${CALL}
  `
  assert.equal((await runApp(t, app, { env })).stdout, 'true\n')
  assert.equal((await processor.waitForSpans(1)).length, 1)
})

test('switched off, it leaves no trace', async (t) => {
  const { processor, env } = await surroundings(t)
  const app = `
    console.log(/native code|lazy/i.test(fetch.toString()), Object.getOwnPropertySymbols(globalThis).map(String).filter((name) => name.includes('tokenfuse')).length)
    await ${CALL}
  `
  const off = await runApp(t, app, { env: { ...env, TOKENFUSE_DISABLED: '1' } })
  const bare = await runApp(t, app, { env, preload: false })
  assert.deepEqual(off, bare)
  assert.deepEqual(processor.spans, [])
})

test('an app that puts its own fetch before or after stays in charge, and each wire call counts once', async (t) => {
  const { processor, env } = await surroundings(t)
  const before = `data:text/javascript,${encodeURIComponent(`
    const native = globalThis.fetch
    globalThis.fetch = Object.assign((...args) => (console.log('before'), native(...args)), { marked: true })
  `)}`
  const app = `
    const metered = globalThis.fetch
    console.log(metered.marked)
    globalThis.fetch = (...args) => (console.log('after'), metered(...args))
    await ${CALL}
    globalThis.fetch = async () => new Response('{"mocked":true}')
    console.log(JSON.stringify(await ${CALL}))
    globalThis.fetch = metered
    const jsonOnly = { ok: true, json: async () => 'no real response' }
    globalThis.fetch = metered
  `
  const { stdout, stderr } = await runApp(t, app, { env, nodeArgs: ['--import', before] })
  assert.equal(stderr, '')
  assert.equal(stdout, 'true\nafter\nbefore\n{"mocked":true}\n')
  assert.equal((await processor.waitForSpans(1)).length, 1)
})

test('answers that are no real responses pass through an app’s own fetch', async (t) => {
  const { processor, env } = await surroundings(t)
  const mock = `data:text/javascript,${encodeURIComponent(`
    globalThis.fetch = async (url) => ({ ok: true, status: 200, json: async () => 'no real response' })
  `)}`
  const app = `console.log(await ${CALL})`
  const { stdout, stderr } = await runApp(t, app, { env, nodeArgs: ['--import', mock] })
  assert.deepEqual([stdout, stderr], ['no real response\n', ''])
  const [span] = await processor.waitForSpans(1)
  assert.equal(span?.attributes['tokenfuse.usage.source'], 'estimate')
})

test('a runtime that is too old runs the app as it is and says so in one line', (t) => {
  assert.deepEqual(['18.20.8', '22.14.9', '22.15.0', '24.0.0', '26.1.0'].map(isSupported), [
    false,
    false,
    true,
    true,
    true,
  ])
  const old = `data:text/javascript,${encodeURIComponent(`
    Object.defineProperty(process.versions, 'node', { value: '20.19.0' })
  `)}`
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      '--conditions=tokenfuse-source',
      `--import=${old}`,
      `--import=${registerUrl}`,
      '-e',
      'console.log("app")',
    ],
    { encoding: 'utf8', cwd: temporaryFolder(t) },
  )
  assert.deepEqual([status, stdout], [0, 'app\n'])
  assert.match(stderr, /^tokenfuse: needs Node 22\.15[^\n]*\n$/)
})
