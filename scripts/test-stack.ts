/**
 * `npm run test:stack [-- FILTER ...]`: the tests of `test/stack/`, against a real Kafka and the Collector. Both are
 * built where they have not been yet, which takes some minutes. Where a tool is missing it says what to install, and
 * fails where `CI` is set.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { collectorProgram } from './stack/collector.ts'
import { kafkaJars, startKafka } from './stack/kafka.ts'
import { missingTools } from './stack/tools.ts'

const tell = (line: string) => process.stderr.write(`${line}\n`)

const missing = missingTools(['java', 'mvn', 'go'])
if (missing.length > 0) {
  tell(`The tests of the stack need ${missing.join(', and ')}.`)
  const isRequired = Boolean(process.env['CI'])
  if (!isRequired) tell('SKIPPED all of them')
  process.exit(isRequired ? 1 : 0)
}

tell('building Kafka and the Collector, where it has not been done yet …')
await Promise.all([kafkaJars(), collectorProgram()])
const folder = mkdtempSync(join(tmpdir(), 'tokenfuse-stack-'))
// For the tests that need no Kafka of their own.
const kafka = await startKafka({ folder })
try {
  process.exitCode = await runTests(kafka.bootstrap)
} finally {
  await kafka.stop()
  rmSync(folder, { recursive: true, force: true })
}

async function runTests(brokers: string): Promise<number> {
  const filters = process.argv.slice(2)
  const wanted = filters.length > 0 ? filters : ['test/stack/']
  const runner = join(import.meta.dirname, 'test.ts')
  // One after another: each has processes enough of its own.
  const limits = ['--at-once', '1', '--file-timeout-s', '600']
  const child = spawn(process.execPath, ['-C', 'tokenfuse-source', runner, ...wanted, ...limits], {
    stdio: 'inherit',
    env: { ...process.env, TOKENFUSE_TEST_KAFKA: brokers },
  })
  return new Promise((resolve) => child.once('close', (code) => resolve(code ?? 1)))
}
