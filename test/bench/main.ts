import { parseArgs } from 'node:util'
import { backtestEvents } from './backtest.ts'
import { embeddedLag, embeddedSpans } from './embedded.ts'
import { governorEvents, governorLog, governorScopeBytes } from './governor.ts'
import { guardDecision } from './guard.ts'
import { kafkaLag } from './kafka.ts'
import { meterDecode } from './meter.ts'
import { overshootHard } from './overshoot.ts'
import { preloadOverhead, preloadStart } from './preload.ts'
import type { Bench, BenchResult } from './result.ts'
import { streamCpu, streamMemory } from './streams.ts'
import { resultLines } from './print.ts'

// `npm run bench [-- NAME ...] [--json]`: each target of the design, measured beside its comparison in the same run.

const BENCHES: readonly Bench[] = [
  guardDecision,
  preloadOverhead,
  preloadStart,
  streamCpu,
  streamMemory,
  embeddedSpans,
  embeddedLag,
  kafkaLag,
  meterDecode,
  backtestEvents,
  governorEvents,
  governorLog,
  governorScopeBytes,
  overshootHard,
]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false } },
})
const isWanted = (name: string) =>
  positionals.length === 0 || positionals.some((wanted) => name.startsWith(wanted))
const known = BENCHES.flatMap(({ names }) => names)
const unknown = positionals.filter((wanted) => !known.some((name) => name.startsWith(wanted)))
if (unknown.length > 0) {
  process.stderr.write(`no bench is called ${unknown.join(', ')}; there are ${known.join(', ')}\n`)
  process.exit(2)
}

const results: BenchResult[] = []
for (const { names, run } of BENCHES) {
  if (!names.some(isWanted)) continue
  process.stderr.write(`measuring ${names.join(', ')} ...\n`)
  results.push(...(await run()).filter(({ name }) => isWanted(name)))
}
const text = values.json ? JSON.stringify(results) : resultLines(results).join('\n')
process.stdout.write(`${text}\n`)
