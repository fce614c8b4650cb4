import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { KafkaEventLog } from '../../processor/src/log/kafka/event-log.ts'
import { MAX_BATCH_BYTES } from '../../processor/src/log/kafka/topics.ts'
import { testEventLog } from '../processor/log/event-log-contract.ts'
import { temporaryFolder } from '../support/processor.ts'
import { makeTopic, testKafka } from '../support/stack.ts'

/** A log of its own. Its topic takes the writer's time, since the clock of a broker cannot be set. */
function newLog(t: TestContext) {
  const name = randomUUID()
  const topics = { events: `events-${name}`, deadLetters: `letters-${name}` }
  const stateFile = join(temporaryFolder(t), 'state.db')
  let clock: number | null = null
  let made: Promise<unknown> | null = null
  const open = async () => {
    const kafka = await testKafka()
    const config = { 'max.message.bytes': String(MAX_BATCH_BYTES) }
    made ??= Promise.all(Object.values(topics).map((topic) => makeTopic(kafka, topic, { config })))
    await made
    return KafkaEventLog.open({ kafka, stateFile, topics, now: () => clock ?? Date.now() })
  }
  const setClock = (ms: number) => {
    clock = ms
  }
  return { open, setClock }
}

testEventLog('kafka', newLog, { runs: 3, deletesWhenTold: false })
