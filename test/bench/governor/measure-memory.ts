import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Governor } from '../../../processor/src/governor/governor.ts'
import type { MeasuredMemory } from './measured.ts'
import { Workload } from './workload.ts'

// `measure-memory.ts FEW MANY`: prints `MeasuredMemory`, what a scope takes by the difference between the two.

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const [few = 0, many = 0] = process.argv.slice(2).map(Number)
const measured: MeasuredMemory = {
  bytesPerScope: (bytesWith(many) - bytesWith(few)) / (many - few),
  scopes: many - few,
}
process.stdout.write(JSON.stringify(measured))

/** What a governor takes that has counted a call of each task of so many scopes, in all its budgets. */
function bytesWith(scopes: number): number {
  collect()
  const before = used()
  const governor = new Governor()
  const workload = new Workload(scopes, 1)
  workload.prepare(governor, { withCredit: true })
  for (let task = 0; task < workload.tasks; task++) {
    governor.apply(workload.entry(workload.call(task)))
  }
  governor.changes()
  collect()
  const after = used()
  if (governor.offset === 0) throw new Error('nothing was counted')
  return after - before
}

function used(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
