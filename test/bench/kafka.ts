import { once } from 'node:events'
import { join } from 'node:path'
import { missingTools } from '../../scripts/stack/tools.ts'
import { kafkaJars } from '../../scripts/stack/kafka.ts'
import { collectorProgram } from '../../scripts/stack/collector.ts'
import { readyLine, spawnSource } from '../support/child.ts'
import { percentile } from './measure.ts'
import { atMost, type Bench, type BenchResult } from './result.ts'

/** Calls a second, how many of them are made, and of how many one is measured, after those of the first four seconds. */
const LOADS = [
  { perSecond: 50, calls: 1000, ofSome: 1 },
  { perSecond: 500, calls: 8000, ofSome: 10 },
] as const
const WARM_UP_S = 4

const TARGETS_MS = { p50: 150, p99: 500 } as const
const WITHIN_MS = 180_000

/** From the end of a call to the decision that it led to, heard in another process, through Collector and Kafka. */
export const kafkaLag: Bench = {
  names: ['kafka.lag.p50', 'kafka.lag.p99'],
  async run() {
    const missing = missingTools(['java', 'mvn', 'go'])
    if (missing.length > 0) {
      process.stderr.write(`kafka.lag is left out: it needs ${missing.join(', and ')}\n`)
      return []
    }
    await Promise.all([kafkaJars(), collectorProgram()])
    const lags = new Map<number, number[]>()
    for (const load of LOADS) lags.set(load.perSecond, await lagsAt(load))
    return [resultOf('p50', 0.5, lags), resultOf('p99', 0.99, lags)]
  },
}

async function lagsAt({ perSecond, calls, ofSome }: (typeof LOADS)[number]): Promise<number[]> {
  const pace = ['--calls', String(calls), '--gap-ms', String(1000 / perSecond)]
  const warmUp = ['--warm-up', String(WARM_UP_S * perSecond)]
  const args = ['--kafka', ...pace, '--of-some', String(ofSome), ...warmUp]
  const child = spawnSource(join(import.meta.dirname, 'lag.ts'), args)
  const { lagsMs } = (await readyLine(child, WITHIN_MS)) as { lagsMs: number[] }
  if (child.exitCode === null) await once(child, 'exit')
  return lagsMs
}

/** The target is for the higher load; the lower one stands beside it. */
function resultOf(
  name: 'p50' | 'p99',
  share: number,
  lags: ReadonlyMap<number, readonly number[]>,
): BenchResult {
  const [low, high] = LOADS
  const heard = lags.get(high.perSecond) ?? []
  const baseline = {
    name: `at ${low.perSecond} calls/s, ms`,
    value: percentile(lags.get(low.perSecond) ?? [], share),
  }
  const value = percentile(heard, share)
  const result = { name: `kafka.lag.${name}`, unit: 'ms', value, count: heard.length, baseline }
  return atMost(TARGETS_MS[name], result)
}
