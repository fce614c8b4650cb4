import { once } from 'node:events'
import { join } from 'node:path'
import { readyLine, spawnSource, stopChild } from '../support/child.ts'
import { makeTemporaryFolder, startProcessorProcess } from '../support/processes.ts'
import { callsRequest } from '../support/spans.ts'
import { toProtobuf } from '../processor/meter/otlp.ts'
import { percentile } from './measure.ts'
import { atLeast, atMost, type Bench } from './result.ts'

const BATCHES = 400
const SPANS_A_BATCH = 100
const CONNECTIONS = 4

/** Spans posted, acknowledged and decided a second, by a processor in a process of its own. */
export const embeddedSpans: Bench = {
  names: ['embedded.spans'],
  async run() {
    const folder = makeTemporaryFolder()
    const processor = await startProcessorProcess(join(folder.path, 'data'))
    const bodies = Array.from({ length: BATCHES }, () => toProtobuf(callsRequest(SPANS_A_BATCH)))
    const headers = {
      authorization: `Bearer ${processor.token}`,
      'content-type': 'application/x-protobuf',
    }
    const post = async () => {
      for (let body = bodies.pop(); body; body = bodies.pop()) {
        const response = await fetch(`${processor.url}/v1/traces`, {
          method: 'POST',
          headers,
          body: Buffer.from(body),
        })
        if (!response.ok) throw new Error(`the processor answered ${response.status}`)
        await response.arrayBuffer()
      }
    }
    const startMs = performance.now()
    await Promise.all(Array.from({ length: CONNECTIONS }, post))
    // The answer of status waits until all that was acknowledged is applied.
    const { total } = await processor.status()
    const seconds = (performance.now() - startMs) / 1000
    const count = BATCHES * SPANS_A_BATCH
    if (total.calls !== count) throw new Error(`${total.calls} of ${count} spans were counted`)
    await processor.stop()
    folder.remove()
    return [
      atLeast(5000, { name: 'embedded.spans', unit: 'spans/s', value: count / seconds, count }),
    ]
  },
}

/** From the end of a call in an agent to the decision that it led to, heard in another process. */
export const embeddedLag: Bench = {
  names: ['embedded.lag.p99'],
  async run() {
    // A processor that has just begun is slow for its first calls.
    const child = spawnSource(join(import.meta.dirname, 'lag.ts'), ['--warm-up', '60'])
    const { lagsMs } = (await readyLine(child)) as { lagsMs: number[] }
    if (child.exitCode === null) await Promise.race([once(child, 'exit'), stopChild(child)])
    const value = percentile(lagsMs, 0.99)
    const baseline = { name: 'its own median, ms', value: percentile(lagsMs, 0.5) }
    const count = lagsMs.length
    return [atMost(50, { name: 'embedded.lag.p99', unit: 'ms', value, count, baseline })]
  },
}
