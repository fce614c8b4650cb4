import assert from 'node:assert/strict'
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { writeFileSync } from 'node:fs'
import { Tiktoken } from 'js-tiktoken/lite'
import o200k from 'js-tiktoken/ranks/o200k_base'
import { encodingFor } from '../../../instrumentation/src/estimate/encoding.ts'
import {
  estimateRequest,
  heuristicEstimate,
} from '../../../instrumentation/src/estimate/estimate.ts'
import type { Estimate, EstimateRequest } from '../../../instrumentation/src/estimate/estimate.ts'
import { Estimator } from '../../../instrumentation/src/estimate/estimator.ts'
import { repository, runApp, temporaryFolder } from '../../support/preload/run-app.ts'

const estimate = (estimator: Estimator, request: EstimateRequest): Promise<Estimate> => {
  // The thread keeps no process alive; the test has to.
  const alive = setInterval(() => {}, 1000)
  return new Promise<Estimate>((resolve) => estimator.estimate(request, resolve)).finally(() =>
    clearInterval(alive),
  )
}
const chat = (content: string, output: string | null = 'an answer') =>
  estimateRequest('gpt-4o', 'openai.chat', { messages: [{ role: 'user', content }] }, output)

test('texts are counted as the tokenizer counts them, off the app’s event loop', async () => {
  const content = 'The quick brown fox jumps over the lazy dog. <|endoftext|> '.repeat(200)
  const encoder = new Tiktoken(o200k)
  const tokens = (text: string) => encoder.encode(text, [], []).length
  let ticks = 0
  const ticking = setInterval(() => ticks++, 10)
  const { input, output, problems } = await estimate(
    new Estimator({ timeMsMax: 60_000 }),
    chat(content),
  )
  clearInterval(ticking)
  // 3 around the message, 3 before the answer
  assert.equal(input, tokens('user') + tokens(content) + 6)
  assert.equal(output, tokens('an answer'))
  assert.deepEqual(problems, [])
  assert.ok(ticks > 5, `the event loop turned ${ticks} times`)
})

test('hostile texts are counted in bounded time', async () => {
  const estimator = new Estimator()
  const cjk = Array.from({ length: 8000 }, (_, n) =>
    String.fromCodePoint(0x4e00 + ((n * 7919) % 20_000)),
  )
  for (const text of [cjk.join(''), 'a'.repeat(8000), ' '.repeat(8000)]) {
    const startMs = performance.now()
    const { input, problems } = await estimate(estimator, chat(text))
    // The plain library takes more than a minute for it.
    assert.ok(performance.now() - startMs < 20_000)
    assert.ok((input ?? 0) > 50, `${text.slice(0, 1)}: ${input}, ${problems.join()}`)
  }
})

test('what takes too long, or is too large, is estimated by length and says so', async (t) => {
  const request = chat('word '.repeat(1000))
  const byLength = heuristicEstimate(request)
  // 'user' and 5,000 characters, four to a token, and 6 around
  assert.deepEqual(byLength, { input: 1257, output: 3, problems: ['estimate_heuristic'] })
  const worker = workerFile(t, `answer({ id, type: 'counting' })`)
  assert.deepEqual(await estimate(new Estimator({ timeMsMax: 20, worker }), request), byLength)
  const large = chat('x'.repeat(3_000_000))
  assert.deepEqual(await estimate(new Estimator(), large), heuristicEstimate(large))
})

test('however long the tokenizer takes to load, the time limit is for the counting', async (t) => {
  const worker = workerFile(
    t,
    `setTimeout(() => {
      answer({ id, type: 'counting' })
      answer({ id, type: 'counted', input: 11, output: 2 })
    }, 300)`,
  )
  const { input, output, problems } = await estimate(
    new Estimator({ timeMsMax: 200, worker }),
    chat('hello'),
  )
  // 11, and 6 around the message and before the answer
  assert.deepEqual([input, output, problems], [17, 2, []])
})

test('a thread that dies or cannot start costs nothing but precision, and is given up in the end', async (t) => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'worker.mjs')
  writeFileSync(
    file,
    `import { appendFileSync } from 'node:fs'
    appendFileSync(${JSON.stringify(join(folder, 'starts'))}, 'x')
    throw new Error('cannot work')`,
  )
  const estimator = new Estimator({ worker: pathToFileURL(file) })
  const request = chat('hello')
  const estimates = await Promise.all(Array.from({ length: 6 }, () => estimate(estimator, request)))
  for (const each of estimates) assert.deepEqual(each, heuristicEstimate(request))
  const absent = new Estimator({ worker: new URL('file:///nowhere/worker.js') })
  assert.deepEqual(await estimate(absent, request), heuristicEstimate(request))
})

test('there is an end to what waits', async () => {
  const estimator = new Estimator({ timeMsMax: 60_000 })
  const request = chat('hello')
  const estimates = await Promise.all(
    Array.from({ length: 100 }, () => estimate(estimator, request)),
  )
  const byLength = estimates.filter(({ problems }) => problems.length > 0)
  // One in work and 64 waiting.
  assert.equal(byLength.length, 35)
})

test('unknown stays unknown', async () => {
  const request = estimateRequest('m', 'openai.chat', null, null)
  assert.deepEqual(await estimate(new Estimator(), request), {
    input: null,
    output: null,
    problems: [],
  })
  assert.deepEqual(heuristicEstimate(request), {
    input: null,
    output: null,
    problems: ['estimate_heuristic'],
  })
})

/** A worker that does this with each request. */
function workerFile(t: TestContext, body: string): URL {
  const file = join(temporaryFolder(t), 'worker.mjs')
  writeFileSync(
    file,
    `import { parentPort } from 'node:worker_threads'
    const answer = (message) => parentPort.postMessage(message)
    parentPort.on('message', ({ id }) => { ${body} })`,
  )
  return pathToFileURL(file)
}

test('a process with an estimate under way ends when the app does', async (t) => {
  const app = `
    import { Estimator } from ${JSON.stringify(join(repository, 'instrumentation/src/estimate/estimator.ts'))}
    const text = '中'.repeat(100_000)
    new Estimator().estimate({ model: 'm', input: { texts: [text], extraTokens: 0 }, output: null }, () => console.log('late'))
    setTimeout(() => console.log('over'), 1500)
  `
  const { code, stdout, stderr } = await runApp(t, app, { preload: false })
  assert.deepEqual([code, stdout, stderr], [0, 'over\n', ''])
})

test('older models have their own encoding', () => {
  const older = ['gpt-4', 'gpt-4-turbo', 'gpt-3.5-turbo-0125', 'text-embedding-3-small']
  const newer = [
    'gpt-4o-mini',
    'gpt-4.1',
    'gpt-4.5-preview',
    'o3',
    'gpt-5',
    'claude-3-5-sonnet',
    '',
  ]
  assert.ok(older.every((model) => encodingFor(model) === 'cl100k_base'))
  assert.ok(newer.every((model) => encodingFor(model) === 'o200k_base'))
})
