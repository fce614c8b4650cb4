import { parseArgs } from 'node:util'
import { readKafkaSettings } from './log/kafka/settings.ts'
import type { RunningMeter } from './options.ts'
import { readRoles } from './roles.ts'
import { startMeter } from './start-meter.ts'
import { readWebhookUrl } from './notify/webhook-url.ts'
import { startProcessor } from './start-processor.ts'

// A processor as a process of its own: prints one JSON line {url, pid} when it is ready, ends on SIGTERM or SIGINT.
const { values } = parseArgs({
  options: {
    data: { type: 'string', default: '.tokenfuse' },
    port: { type: 'string', default: '4319' },
    policy: { type: 'string' },
    kafka: { type: 'string' },
    roles: { type: 'string', default: 'meter,governor' },
    rules: { type: 'string' },
  },
})

const tell = (line: string) => process.stderr.write(`${line}\n`)

try {
  const running = await start()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void running.close())
  }
  process.stdout.write(`${JSON.stringify({ url: running.url, pid: process.pid })}\n`)
  await running.ended
} catch (error) {
  tell(error instanceof Error ? error.message : String(error))
  process.exit(1)
}

function start(): Promise<RunningMeter> {
  const kafka = readKafkaSettings(process.env, values.kafka ?? null)
  const roles = readRoles(values.roles, kafka !== null)
  const shared = { port: Number(values.port), log: tell }
  if (kafka !== null && !roles.governor) return startMeter({ kafka, ...shared })
  return startProcessor({
    dataDirectory: values.data,
    ...shared,
    ...(values.policy !== undefined && { policyFile: values.policy }),
    ...readWebhookUrl(process.env),
    ...(values.rules !== undefined && { rulesFile: values.rules }),
    ...(kafka !== null && { kafka, meters: roles.meter }),
  })
}
