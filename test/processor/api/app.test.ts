import assert from 'node:assert/strict'
import { test } from 'node:test'
import { call, runProcessor } from '../../support/processor.ts'

type Failure = { error: { code: string; message: string; fix: string | null } }

test('everything but the probes needs the token, and says where it stands', async (t) => {
  const { url, token } = await runProcessor(t)
  const post = { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } }
  const guarded: [path: string, init: Partial<typeof post>][] = [
    ['/v1/status', {}],
    ['/v1/usage', {}],
    ['/v1/decisions', {}],
    ['/v1/stream', {}],
    ['/metrics', {}],
    ['/v1/credit', post],
    ['/v1/tasks/t-1/end', post],
    ['/v1/no-such-path', {}],
  ]
  for (const [path, init] of guarded) {
    for (const authorization of [null, 'Bearer wrong', `Basic ${token}`, `Bearer ${token}x`]) {
      const headers = { ...init.headers, ...(authorization === null ? {} : { authorization }) }
      const response = await fetch(url + path, { ...init, headers })
      assert.equal(response.status, 401, `${path} with ${authorization}`)
      const { error } = (await response.json()) as Failure
      assert.equal(error.code, 'unauthorized')
      assert.match(error.fix ?? '', /file "token"/)
    }
  }
  for (const signal of ['traces', 'metrics', 'logs']) {
    const response = await fetch(`${url}/v1/${signal}`, post)
    assert.equal(response.status, 401)
    assert.equal(((await response.json()) as { code: number }).code, 16)
  }
  for (const probe of ['/livez', '/readyz']) assert.equal((await fetch(url + probe)).status, 200)
})

test('an unknown address is told as such', async (t) => {
  const processor = await runProcessor(t)
  const response = await call(processor, '/v1/no-such-path')
  assert.equal(response.status, 404)
  assert.equal(((await response.json()) as Failure).error.code, 'not_found')
})
