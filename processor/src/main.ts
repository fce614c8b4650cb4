import { parseArgs } from 'node:util'
import { startProcessor } from './start-processor.ts'

// A processor as a process of its own: prints one JSON line {url, pid} when it is ready, ends on SIGTERM or SIGINT.
const { values } = parseArgs({
  options: {
    data: { type: 'string', default: '.tokenfuse' },
    port: { type: 'string', default: '4319' },
    policy: { type: 'string' },
  },
})

try {
  const processor = await startProcessor({
    dataDirectory: values.data,
    port: Number(values.port),
    log: (line) => process.stderr.write(`${line}\n`),
    ...(values.policy === undefined ? {} : { policyFile: values.policy }),
  })
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void processor.close())
  }
  process.stdout.write(`${JSON.stringify({ url: processor.url, pid: process.pid })}\n`)
  await processor.ended
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}
