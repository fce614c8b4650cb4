import assert from 'node:assert/strict'
import { setFlagsFromString } from 'node:v8'
import { test } from 'node:test'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { observeResponse } from '../../../instrumentation/src/anchor/observed-response.ts'
import type { BodyObserver } from '../../../instrumentation/src/anchor/passing-body.ts'
import type { ByteFilter, EndReason } from '@tokenfuse/instrumentation/providers'

/** A response like one of the network: a byte stream that makes a chunk for each pull. */
function networkResponse(chunks: readonly string[], options: { failsWith?: Error } = {}) {
  const log = { pulls: 0, cancelledWith: [] as unknown[] }
  const body = new ReadableStream({
    type: 'bytes',
    pull(controller) {
      const chunk = chunks[log.pulls++]
      if (chunk !== undefined) return controller.enqueue(new TextEncoder().encode(chunk))
      if (options.failsWith) return controller.error(options.failsWith)
      controller.close()
      controller.byobRequest?.respond(0)
    },
    cancel(reason) {
      log.cancelledWith.push(reason)
    },
  })
  return { response: new Response(body, { headers: { 'x-kept': 'yes' }, status: 201 }), log }
}

function recorder(filter: ByteFilter | null = null) {
  const seen: string[] = []
  const ends: EndReason[] = []
  const observer: BodyObserver = {
    push: (bytes) => void seen.push(Buffer.from(bytes).toString()),
    end: (reason) => void ends.push(reason),
    filter,
  }
  return { observer, seen, ends }
}

function observe(response: Response, observer: BodyObserver): Response {
  const observed = observeResponse(response, observer)
  assert.ok(observed)
  return observed
}

test('the app and the observer see every chunk as it came, and the end once', async () => {
  const { response } = networkResponse(['one', 'two', 'three'])
  const { observer, seen, ends } = recorder()
  const app: string[] = []
  for await (const chunk of observe(response, observer).body ?? []) {
    app.push(Buffer.from(chunk as Uint8Array).toString())
  }
  assert.deepEqual(app, ['one', 'two', 'three'])
  assert.deepEqual(seen, ['one', 'two', 'three'])
  assert.deepEqual(ends, ['complete'])
})

test('nothing is pulled from the network that the app did not pull', async () => {
  const { response, log } = networkResponse(['one', 'two', 'three'])
  const { observer } = recorder()
  const reader = observe(response, observer).body?.getReader()
  await new Promise(setImmediate)
  assert.equal(log.pulls, 0)
  await reader?.read()
  await new Promise(setImmediate)
  assert.equal(log.pulls, 1)
})

test('a cancelled body cancels the network and ends once as aborted', async () => {
  const { response, log } = networkResponse(['one', 'two'])
  const { observer, ends } = recorder()
  const reader = observe(response, observer).body?.getReader()
  await reader?.read()
  const reason = new Error('enough')
  await reader?.cancel(reason)
  assert.deepEqual(log.cancelledWith, [reason])
  assert.deepEqual(ends, ['aborted'])
})

test('a broken body gives the app the very error and ends once as failed', async () => {
  const failsWith = new Error('connection lost')
  const { response } = networkResponse(['one'], { failsWith })
  const { observer, ends } = recorder()
  await assert.rejects(observe(response, observer).text(), (error) => error === failsWith)
  assert.deepEqual(ends, ['failed'])
})

test('an abort reaches an app that is not reading at the moment', async () => {
  let network: ReadableByteStreamController | undefined
  const body = new ReadableStream({ type: 'bytes', start: (it) => void (network = it) })
  const { observer, ends } = recorder()
  const reader = observe(new Response(body), observer).body?.getReader()
  const aborted = new DOMException('stop', 'AbortError')
  network?.error(aborted)
  await assert.rejects(reader?.closed ?? Promise.resolve(), (error) => error === aborted)
  assert.deepEqual(ends, ['aborted'])
})

test('the end of the network side ends the call although the app reads no further', async () => {
  let network: ReadableByteStreamController | undefined
  const body = new ReadableStream({ type: 'bytes', start: (it) => void (network = it) })
  const { observer, ends } = recorder()
  const reader = observe(new Response(body), observer).body?.getReader()
  network?.enqueue(new Uint8Array([1, 2]))
  assert.deepEqual((await reader?.read())?.value, new Uint8Array([1, 2]))
  network?.close()
  await reader?.closed
  assert.deepEqual(ends, ['complete'])
})

test('a body can be read into memory of the app if it could before', async () => {
  const { response } = networkResponse(['abcdef'])
  const { observer } = recorder()
  const reader = observe(response, observer).body?.getReader({ mode: 'byob' })
  const first = await reader?.read(new Uint8Array(4))
  assert.equal(Buffer.from(first?.value ?? []).toString(), 'abcd')
  const second = await reader?.read(new Uint8Array(4))
  assert.equal(Buffer.from(second?.value ?? []).toString(), 'ef')
  assert.equal((await reader?.read(new Uint8Array(4)))?.done, true)
})

test('chunks of a stream that is none of bytes stay whose they were', async () => {
  const shared = new Uint8Array([7, 7])
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(shared)
      controller.enqueue(shared)
      controller.close()
    },
  })
  const { observer } = recorder()
  const bytes = await observe(new Response(body), observer).bytes()
  assert.deepEqual(bytes, new Uint8Array([7, 7, 7, 7]))
  assert.equal(shared.byteLength, 2)
})

test('the response stays the one that came, and so do its clones', async () => {
  const { response } = networkResponse(['{"a":1}'])
  const from = { url: 'http://there/', redirected: true, type: 'basic' }
  for (const [name, value] of Object.entries(from)) Object.defineProperty(response, name, { value })
  const { observer } = recorder()
  const observed = observe(response, observer)
  assert.ok(observed instanceof Response)
  const clone = observed.clone()
  for (const { url, redirected, type, status, headers } of [observed, clone, clone.clone()]) {
    assert.deepEqual({ url, redirected, type }, from)
    assert.deepEqual([status, headers.get('x-kept')], [201, 'yes'])
  }
  assert.deepEqual(await observed.json(), { a: 1 })
  assert.equal(observed.bodyUsed, true)
})

test('a body without a stream, or one that is read already, is left alone', async () => {
  const { observer, ends } = recorder()
  assert.equal(observeResponse(new Response(null, { status: 204 }), observer), null)
  const used = new Response('text')
  await used.text()
  assert.equal(observeResponse(used, observer), null)
  const notWeb = { body: { pipe() {} }, headers: new Headers(), status: 200 } as unknown as Response
  assert.equal(observeResponse(notWeb, observer), null)
  assert.deepEqual(ends, [])
})

test('an observer that fails costs the app nothing', async () => {
  const { response } = networkResponse(['one', 'two'])
  const observer: BodyObserver = {
    push() {
      throw new Error('ours')
    },
    end() {},
    filter: null,
  }
  assert.equal(await observe(response, observer).text(), 'onetwo')
})

test('a body that nobody can read any more is cancelled and ends as aborted', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const { observer, ends } = recorder()
  const { response, log } = networkResponse(['one', 'two'])
  observe(response, observer)
  const deadline = performance.now() + 5000
  while (ends.length === 0 && performance.now() < deadline) {
    collect()
    await new Promise(setImmediate)
  }
  assert.deepEqual(ends, ['aborted'])
  assert.equal(log.cancelledWith.length, 1)
  // The network's side was there all the time, as a socket keeps it.
  assert.ok(response.body)
})

test('whatever a filter holds back and lets go, the app gets what it lets through', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ minLength: 1 })), fc.nat(3), async (chunks, held) => {
      const { response } = networkResponse(chunks)
      const { observer } = recorder(delayingFilter(held))
      assert.equal(await observe(response, observer).text(), chunks.join('').replaceAll('x', ''))
    }),
    { numRuns: 200 },
  )
})

/** Takes out every x, gives views into larger memory, and is always some bytes late. */
function delayingFilter(held: number): ByteFilter {
  let late = ''
  const take = (text: string, keep: number) => {
    late += text.replaceAll('x', '')
    const out = late.slice(0, Math.max(0, late.length - keep))
    late = late.slice(out.length)
    return Buffer.from(`..${out}..`, 'latin1').subarray(2, 2 + out.length)
  }
  return {
    push: (bytes) => take(Buffer.from(bytes).toString('latin1'), held),
    end: () => take('', 0),
  }
}
