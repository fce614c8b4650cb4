// Records calls in rounds, each acknowledged before the next, and says how much memory is in use after each.
import { setTimeout as sleep } from 'node:timers/promises'
import { createTelemetry } from '../../../../instrumentation/src/telemetry/index.ts'
import { aCall } from './call.ts'

const ROUNDS = 6
const CALLS = 3000

const telemetry = createTelemetry({ environment: process.env, workingDirectory: process.cwd() })
const heapBytes: number[] = []
for (let round = 0; round < ROUNDS; round++) {
  for (let n = 0; n < CALLS; n++) telemetry.record(aCall(round * CALLS + n))
  while (telemetry.stats().buffered > 0) await sleep(10)
  globalThis.gc?.()
  heapBytes.push(process.memoryUsage().heapUsed)
}
process.stdout.write(JSON.stringify(heapBytes))
