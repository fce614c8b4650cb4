import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { StatusAnswer, UsageAnswer } from '@tokenfuse/protocol'
import { ask, call, type Called, spawnProcessor, temporaryFolder } from '../support/processor.ts'
import { callSpan } from '../support/spans.ts'
import { otlpRequest, type OtlpSpan } from './meter/otlp.ts'

const BATCH = 20

/** Posts batches one after another until a request fails; each call is a task of its own. */
async function load(
  called: Called,
  sender: number,
  sent: Map<string, OtlpSpan>,
  acknowledged: Set<string>,
) {
  for (let round = 0; ; round++) {
    const tasks = Array.from({ length: BATCH }, (_, index) => `${sender}-${round}-${index}`)
    const spans = tasks.map((task) => callSpan({ 'tokenfuse.task.id': task }))
    for (const [index, task] of tasks.entries()) sent.set(task, spans[index] as OtlpSpan)
    try {
      const response = await call(called, '/v1/traces', otlpRequest(spans))
      if (response.status !== 200) return
      for (const task of tasks) acknowledged.add(task)
    } catch {
      return
    }
  }
}

async function callsByTask(called: Called): Promise<Map<string, number>> {
  const { rows } = await ask<UsageAnswer>(called, '/v1/usage?by=task&top=10000')
  return new Map(rows.map(({ values, calls }) => [String(values.task), calls]))
}

test('kill -9 under load, twice: every acknowledged call is there once, and what is sent again changes nothing', async (t) => {
  const dataDirectory = join(temporaryFolder(t), 'data')
  const sent = new Map<string, OtlpSpan>()
  const acknowledged = new Set<string>()
  for (let crash = 0; crash < 2; crash++) {
    const processor = await spawnProcessor(t, dataDirectory)
    const before = acknowledged.size
    const senders = Array.from({ length: 8 }, (_, sender) =>
      load(processor, crash * 100 + sender, sent, acknowledged),
    )
    while (acknowledged.size < before + 1000) await new Promise((resolve) => setImmediate(resolve))
    await processor.kill('SIGKILL')
    await Promise.all(senders)
  }
  const processor = await spawnProcessor(t, dataDirectory)
  const counted = await callsByTask(processor)
  for (const task of acknowledged) assert.equal(counted.get(task), 1, task)
  for (const [task, calls] of counted) assert.ok(sent.has(task) && calls === 1, task)
  // What was not acknowledged is sent again by its agents, and so may be what was.
  const spans = [...sent.values()]
  for (let from = 0; from < spans.length; from += 500) {
    await ask(processor, '/v1/traces', otlpRequest(spans.slice(from, from + 500)))
  }
  const { total } = await ask<UsageAnswer>(processor, '/v1/usage?by=task')
  assert.equal(total.calls, sent.size)
  assert.equal(total.costPicoUsd, String(21_000_000n * BigInt(sent.size)))
})

test('kill -9 before a snapshot: a call that could not be counted is kept aside once', async (t) => {
  const dataDirectory = join(temporaryFolder(t), 'data')
  const late = {
    ...callSpan(),
    startTimeUnixNano: '1600000000000000000',
    endTimeUnixNano: '1600000001000000000',
  }
  const first = await spawnProcessor(t, dataDirectory)
  await ask(first, '/v1/traces', otlpRequest([late]))
  await first.kill('SIGKILL')
  for (const signal of ['SIGTERM', 'SIGKILL', 'SIGTERM'] as const) {
    const again = await spawnProcessor(t, dataDirectory)
    assert.equal((await ask<StatusAnswer>(again, '/v1/status')).total.calls, 0)
    await again.kill(signal)
  }
  const database = new DatabaseSync(join(dataDirectory, 'events.db'), { readOnly: true })
  t.after(() => database.close())
  const letters = database.prepare('SELECT source, code FROM dead_letters').all()
  assert.deepEqual(
    letters.map(({ source, code }) => ({ source, code })),
    [{ source: 'log@1', code: 'span_too_late' }],
  )
})
