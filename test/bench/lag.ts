import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readyLine, spawnSource, stopChild } from '../support/child.ts'
import { collectorEnvironment } from '../support/collector-environment.ts'
import { makeTemporaryFolder, startProcessorProcess } from '../support/processes.ts'
import { RunningStack } from '../support/running-stack.ts'
import { LAG_POLICY, measureLags } from './lag-run.ts'

// The listener of the benches of lag, in a process of its own.

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '400' },
    'gap-ms': { type: 'string', default: '15' },
    'of-some': { type: 'string', default: '1' },
    'warm-up': { type: 'string', default: '0' },
    kafka: { type: 'boolean', default: false },
  },
})
const folder = makeTemporaryFolder()
const policyFile = join(folder.path, 'tokenfuse.yaml')
writeFileSync(policyFile, LAG_POLICY)
const server = spawnSource(join(import.meta.dirname, 'bench-server.ts'), [])
const providerUrl = String((await readyLine(server))['url'])
const stack = values.kafka ? await RunningStack.start(join(folder.path, 'stack')) : null
const processor = await startProcessorProcess(join(folder.path, 'data'), {
  policyFile,
  ...(stack && { kafka: stack.brokers }),
})
const lagsMs = await measureLags({
  processor,
  providerUrl,
  folder: folder.path,
  calls: Number(values.calls),
  gapMs: Number(values['gap-ms']),
  ofSome: Number(values['of-some']),
  warmUp: Number(values['warm-up']),
  ...(stack && { environment: collectorEnvironment(stack.collector) }),
})
await Promise.all([stopChild(server), processor.stop()])
await stack?.stop()
folder.remove()
process.stdout.write(`${JSON.stringify({ lagsMs })}\n`)
