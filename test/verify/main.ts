import { parseArgs } from 'node:util'
import { reportLines } from './calls/print.ts'
import { verifyCalls } from './calls/run.ts'
import { overshootLines } from './overshoot/print.ts'
import { overshootJson, verifyOvershoot } from './overshoot/run.ts'

// `npm run verify [-- calls | overshoot]`: holds what tokenfuse meters, and what its budgets let through, against the
// stand-in's own ledger. The result goes to standard output, progress to standard error; the exit code is 1 where
// anything differs or a promise is broken. With --kafka, spans go through Collector and Kafka, and each part is killed
// once.

const USAGE = `npm run verify -- [calls] [--calls 2000] [--agents 4] [--concurrency 8] [--seed 1] [--kafka] [--json]
npm run verify -- overshoot [--seed 1] [--json]`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    calls: { type: 'string', default: '2000' },
    agents: { type: 'string', default: '4' },
    concurrency: { type: 'string', default: '8' },
    seed: { type: 'string', default: '1' },
    kafka: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})
process.once('SIGTERM', () => process.exit(143))
process.once('SIGINT', () => process.exit(130))

const seed = Number(values.seed)
const tell = (line: string) => process.stderr.write(`${line}\n`)

async function calls(): Promise<void> {
  const report = await verifyCalls({
    calls: Number(values.calls),
    agents: Number(values.agents),
    concurrency: Number(values.concurrency),
    seed,
    kafka: values.kafka,
    tell,
  })
  show(values.json ? JSON.stringify(report) : reportLines(report).join('\n'))
  if (report.mismatches.length > 0) process.exitCode = 1
}

async function overshoot(): Promise<void> {
  const report = await verifyOvershoot({ seed, tell })
  show(values.json ? overshootJson(report) : overshootLines(report).join('\n'))
  if (!report.isKept) process.exitCode = 1
}

const show = (text: string) => process.stdout.write(`${text}\n`)

const MODES: Readonly<Record<string, () => Promise<void>>> = { calls, overshoot }
const [name = 'calls'] = positionals
const mode = MODES[name]
if (mode) await mode()
else {
  tell(`nothing to verify is called ${name}; ${USAGE}`)
  process.exitCode = 2
}
