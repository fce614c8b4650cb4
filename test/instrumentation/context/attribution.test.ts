import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startFakeProcessor } from '../../support/preload/fake-processor.ts'
import { CHAT_BODY } from '../../support/preload/llm-bodies.ts'
import { sendJson, startLlmServer } from '../../support/preload/llm-server.ts'
import { repository, runApp } from '../../support/preload/run-app.ts'

const library = `${repository}/instrumentation/src/index.ts`
const call = `
  import { withAgent, endTask } from ${JSON.stringify(library)}
  const call = (model) => fetch(process.env.LLM + '/v1/chat/completions', {
    method: 'POST', body: JSON.stringify({ model }),
  }).then((response) => response.json())
`

test('calls are attributed and traced by withAgent, by inbound baggage and by the environment', async (t) => {
  const processor = await startFakeProcessor(t)
  const llm = await startLlmServer(t, (_request, response) => sendJson(response, CHAT_BODY))
  // The newest API: it must be found by the oldest supported one, which the preload carries.
  const app = `${call}
    const { context, propagation, trace, TraceFlags } = load('@opentelemetry/api')
    const { AsyncLocalStorage } = await import('node:async_hooks')
    const store = new AsyncLocalStorage()
    const root = context.active()
    context.setGlobalContextManager({
      active: () => store.getStore() ?? root,
      with: (ctx, fn, self, ...args) => store.run(ctx, () => fn.apply(self, args)),
      bind: (_ctx, target) => target, enable() { return this }, disable() { return this },
    })
    await call('by-environment')
    await withAgent({ agent: 'outer', task: 't-9', step: { index: 2, name: 'plan' }, tags: { team: 'red' } }, async () => {
      await call('by-agent')
      await withAgent({ agent: 'inner' }, () => call('by-inner-agent'))
    })
    const baggage = propagation.createBaggage({
      'gen_ai.agent.name': { value: 'caller' },
      'tokenfuse.task.id': { value: 't-inbound' },
      'tokenfuse.step.index': { value: '4' },
      'user.id': { value: 'u-inbound' },
      'tokenfuse.tag.region': { value: 'eu' },
      'tokenfuse.tenant': { value: 'intruder' },
    })
    const marks = []
    const span = {
      spanContext: () => ({ traceId: 'aa'.repeat(16), spanId: 'bb'.repeat(8), traceFlags: TraceFlags.SAMPLED }),
      setAttribute: (name, value) => (marks.push(name + '=' + value), span),
    }
    const inbound = trace.setSpan(propagation.setBaggage(root, baggage), span)
    await context.with(inbound, () => call('by-baggage'))
    await context.with(inbound, () => withAgent({ agent: 'own' }, () => call('by-both')))
    console.log(marks.join())
    await endTask({ task: 't/9', outcome: 'completed' })
    await withAgent({ agent: 'own', taskType: 'draft' }, () => endTask({ task: 't-1', outcome: 'failed' }))
  `
  const env = {
    TOKENFUSE_URL: processor.url,
    TOKENFUSE_HOSTS: llm.hosts,
    LLM: llm.url,
    TOKENFUSE_AGENT: 'env-agent',
    TOKENFUSE_USER: 'env-user',
    OTEL_SERVICE_NAME: 'svc',
    TRACEPARENT: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  }
  const { code, stdout, stderr } = await runApp(t, app, { env })
  const counted = 'tokenfuse.usage.counted=true'
  assert.deepEqual([code, stdout, stderr], [0, `${counted},${counted}\n`, ''])

  const spans = await processor.waitForSpans(5)
  const of = (model: string) => {
    const span = spans.find(({ attributes }) => attributes['gen_ai.request.model'] === model)
    assert.ok(span, model)
    const names = ['gen_ai.agent.name', 'tokenfuse.task.id', 'user.id', 'tokenfuse.tenant']
    return { ...span, who: names.map((name) => span.attributes[name]) }
  }
  assert.deepEqual(of('by-environment').who, ['env-agent', undefined, 'env-user', 'default'])
  assert.deepEqual(of('by-agent').who, ['outer', 't-9', 'env-user', 'default'])
  assert.equal(of('by-agent').attributes['tokenfuse.step.index'], 2)
  assert.equal(of('by-agent').attributes['tokenfuse.step.name'], 'plan')
  assert.equal(of('by-agent').attributes['tokenfuse.tag.team'], 'red')
  assert.deepEqual(of('by-inner-agent').who, ['inner', 't-9', 'env-user', 'default'])
  const callers = (model: string) => of(model).attributes['tokenfuse.agent.callers']
  const environment = { agent: 'env-agent', task: 'unknown' }
  assert.equal(callers('by-environment'), undefined)
  assert.equal(callers('by-agent'), JSON.stringify([environment]))
  assert.equal(
    callers('by-inner-agent'),
    JSON.stringify([environment, { agent: 'outer', task: 't-9' }]),
  )
  assert.equal(callers('by-both'), JSON.stringify([{ agent: 'caller', task: 't-inbound' }]))
  assert.deepEqual(of('by-baggage').who, ['caller', 't-inbound', 'u-inbound', 'default'])
  assert.equal(of('by-baggage').attributes['tokenfuse.step.index'], 4)
  assert.equal(of('by-baggage').attributes['tokenfuse.tag.region'], 'eu')
  assert.deepEqual(of('by-both').who, ['own', 't-inbound', 'u-inbound', 'default'])

  const inherited = '0af7651916cd43dd8448eb211c80319c'
  assert.deepEqual(
    [of('by-environment').traceId, of('by-environment').parentSpanId],
    [inherited, 'b7ad6b7169203331'],
  )
  assert.equal(of('by-agent').traceId, inherited)
  assert.equal(of('by-inner-agent').traceId, inherited)
  assert.notEqual(of('by-inner-agent').parentSpanId, of('by-agent').parentSpanId)
  assert.deepEqual(
    [of('by-baggage').traceId, of('by-baggage').parentSpanId],
    ['aa'.repeat(16), 'bb'.repeat(8)],
  )
  assert.deepEqual(processor.posts, [
    { path: '/v1/tasks/t%2F9/end', body: { agent: 'env-agent', outcome: 'completed' } },
    {
      path: '/v1/tasks/t-1/end',
      body: { agent: 'own', taskType: 'draft', outcome: 'failed' },
    },
  ])
})

test('the end of a task is told although the process has nothing else to do, and nobody waits long for it', async (t) => {
  const processor = await startFakeProcessor(t)
  const app = `${call} endTask({ task: 't-1', outcome: 'failed' })`
  const told = await runApp(t, app, { env: { TOKENFUSE_URL: processor.url } })
  assert.deepEqual([told.code, told.stderr], [0, ''])
  assert.equal(processor.posts.length, 1)
  const unheard = await runApp(t, app, { env: { TOKENFUSE_URL: 'http://127.0.0.1:9' } })
  assert.equal(unheard.code, 0)
  assert.match(unheard.stderr, /^tokenfuse: the end of a task could not be told: [^\n]*\n$/)
  const silent = await startLlmServer(t, () => {})
  const startMs = performance.now()
  const waited = await runApp(t, app, { env: { TOKENFUSE_URL: silent.url } })
  assert.equal(waited.code, 0)
  assert.ok(performance.now() - startMs < 4000)
  assert.equal((await runApp(t, app, { preload: false })).code, 0)
})
