import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'node:test'
import type { LogEvent, UsageEvent } from '@tokenfuse/protocol'
import { initKafka } from '../../processor/src/log/kafka/init-topics.ts'
import { KafkaPipeline } from '../../processor/src/log/kafka/pipeline.ts'
import { temporaryFolder } from '../support/processor.ts'
import { testBrokers } from '../support/stack.ts'
import { tickEvent } from '../support/tick.ts'
import { tokenfuse } from '../support/tokenfuse-command.ts'
import { usageEvent } from '../support/usage-event.ts'

/** What is exported of calls of one agent, and the rest. */
function readLines(stdout: string, agent: string) {
  const events = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as UsageEvent)
  return events.filter((event) => event.agent === agent)
}

test('the log in Kafka is exported in its order, as far as it goes, and between two times', async (t) => {
  const brokers = await testBrokers()
  const settings = { brokers: [brokers], tls: null, sasl: null }
  await initKafka(settings, {}, () => {})
  const pipeline = await KafkaPipeline.connect(settings, () => {})
  const { log, announcer } = await pipeline.governorPorts(join(temporaryFolder(t), 'state.db'))
  t.after(async () => {
    await announcer?.close()
    await log.close()
  })
  const agent = `a-${randomUUID()}`
  const call = (step: number): LogEvent => usageEvent({ agent, step })
  const first = call(1)
  const tick = tickEvent()
  await log.append([first, tick, call(2)])
  await log.append([call(3), tick])
  const run = (...args: string[]) => tokenfuse(['export', '--events', ...args])
  const all = await run('--kafka', brokers)
  assert.equal(all.code, 0, all.stderr)
  const lines = readLines(all.stdout, agent)
  assert.deepEqual(
    lines.map(({ step }) => step),
    [1, 2, 3],
  )
  assert.deepEqual(lines[0], first)
  assert.ok(!all.stdout.includes('"tick"'))

  const none = await run('--kafka', brokers, '--until', '2020-01-01')
  assert.deepEqual([none.code, none.stdout], [0, ''])
  const later = await run('--kafka', brokers, '--since', '2099-01-01')
  assert.deepEqual([later.code, later.stdout], [0, ''])
  const recent = await tokenfuse(['export', '--events', '--since', '1h'], {
    env: { TOKENFUSE_KAFKA_BROKERS: brokers },
  })
  assert.equal(readLines(recent.stdout, agent).length, 3)
})
