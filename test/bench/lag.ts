import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { readyLine, spawnSource, stopChild } from '../support/child.ts'
import { makeTemporaryFolder, startProcessorProcess } from '../support/processes.ts'
import { createControlClient } from '../../instrumentation/src/control/index.ts'
import { runBenchApp } from './app.ts'

// The listener of `embedded.lag.p99`: a process of its own that hears decisions as a guard does.

const CALLS = 400
const GAP_MS = 15
const library = pathToFileURL(join(import.meta.dirname, '../../instrumentation/dist/index.js')).href

const folder = makeTemporaryFolder()
const policyFile = join(folder.path, 'tokenfuse.yaml')
// Any call of a task is enough for a decision on it.
writeFileSync(
  policyFile,
  'version: 1\nbudgets:\n  - { id: lag, per: [task], window: lifetime, mode: soft, warnAt: 0.000001, limit: { tokens: 100000000 } }\n',
)
const server = spawnSource(join(import.meta.dirname, 'bench-server.ts'), [])
const providerUrl = String((await readyLine(server))['url'])
const processor = await startProcessorProcess(join(folder.path, 'data'), { policyFile })
const environment = { TOKENFUSE_URL: processor.url, TOKENFUSE_TOKEN: processor.token }
const control = createControlClient({
  environment,
  workingDirectory: folder.path,
  guardId: 'listener-of-the-bench',
})
const heard = new Map<string, number>()
control.subscribe((message) => {
  if (message.type !== 'decision') return
  const task = message.decision.scope.slice('task='.length)
  if (!heard.has(task)) heard.set(task, performance.timeOrigin + performance.now())
})
const ended = (await runBenchApp('paced-calls.mjs', {
  args: [providerUrl, library, String(CALLS), String(GAP_MS)],
  preload: {
    ...environment,
    TOKENFUSE_HOSTS: `${new URL(providerUrl).host}=openai`,
    TOKENFUSE_SPOOL_DIR: join(folder.path, 'spool'),
  },
})) as Record<string, number>
control.close()
await Promise.all([stopChild(server), processor.stop()])
folder.remove()
const lagsMs = Object.entries(ended).flatMap(([task, endMs]) => {
  const at = heard.get(task)
  return at === undefined ? [] : [at - endMs]
})
process.stdout.write(`${JSON.stringify({ lagsMs })}\n`)
