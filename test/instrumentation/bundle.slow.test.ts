import assert from 'node:assert/strict'
import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { bundlePreload } from '../../scripts/build/bundle.ts'
import { startFakeProcessor } from '../support/preload/fake-processor.ts'
import { chatEvents } from '../support/preload/llm-bodies.ts'
import { sendEvents, startLlmServer } from '../support/preload/llm-server.ts'
import { repository, runApp, temporaryFolder } from '../support/preload/run-app.ts'

/** The published files, and how Node is told to load each. */
async function bundles(t: TestContext) {
  const folder = temporaryFolder(t)
  symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  await bundlePreload(join(repository, 'instrumentation'), folder)
  return [
    ['--import', pathToFileURL(join(folder, 'register.js')).href],
    ['--require', join(folder, 'register.cjs')],
  ] as const
}

test('both published files meter, and estimate by tokenizer where no usage came', async (t) => {
  for (const preload of await bundles(t)) {
    const processor = await startFakeProcessor(t)
    const llm = await startLlmServer(t, async (request, response) => {
      if (request.path === '/over') {
        await processor.waitForSpans(1)
        return void response.end()
      }
      sendEvents(response, chatEvents(['Hello', ' there'], false))
    })
    const app = `
      const { default: OpenAI } = load('openai')
      const client = new OpenAI({ baseURL: process.env.LLM + '/v1' })
      const messages = [{ role: 'user', content: 'hi' }]
      ;(async () => {
        const stream = await client.chat.completions.create({ model: 'gpt-4o-mini', messages, stream: true })
        for await (const chunk of stream) console.log(chunk.choices[0]?.delta.content)
        await fetch(process.env.LLM + '/over')
      })()
    `
    const env = {
      TOKENFUSE_URL: processor.url,
      TOKENFUSE_HOSTS: `${llm.host}=openai`,
      LLM: llm.url,
    }
    const name = preload[0] === '--import' ? 'app.mjs' : 'app.cjs'
    const { code, stdout, stderr } = await runApp(t, app, { env, preload, name })
    assert.deepEqual([code, stdout, stderr], [0, 'Hello\n there\nundefined\n', ''])
    const [span] = await processor.waitForSpans(1)
    // "user" and "hi", 3 around the message, 3 before the answer; "Hello" and " there"
    assert.equal(span?.attributes['gen_ai.usage.input_tokens'], 8)
    assert.equal(span?.attributes['gen_ai.usage.output_tokens'], 2)
    assert.equal(span?.attributes['tokenfuse.usage.source'], 'estimate')
    assert.deepEqual(span?.attributes['tokenfuse.usage.problems'], ['usage_missing'])
  }
})

test('both published files do nothing but say so where Node is too old to have what they use', async (t) => {
  // Node 18 has none of these.
  const old = `data:text/javascript,${encodeURIComponent(`
    import { AsyncLocalStorage } from 'node:async_hooks'
    Object.defineProperty(process.versions, 'node', { value: '18.0.0' })
    delete AsyncLocalStorage.snapshot
    delete process.getBuiltinModule
    delete URL.parse
    delete URL.canParse
    delete Promise.withResolvers
    delete Array.fromAsync
    delete Array.prototype.toSorted
    delete Object.groupBy
    delete String.prototype.toWellFormed
  `)}`
  const files = await bundles(t)
  for (const preload of files) {
    // A file for --require would be loaded before the old runtime is made up.
    const imported = ['--import', old, '--import', pathToFileURL(String(preload[1])).href]
    const flags = preload[0] === '--import' ? ['--import', old, ...preload] : imported
    const { code, stdout, stderr } = await runApp(t, `console.log('app')`, { preload: flags })
    assert.deepEqual([code, stdout], [0, 'app\n'])
    assert.match(stderr, /^tokenfuse: needs Node 22\.15[^\n]*\n$/)
  }
})
