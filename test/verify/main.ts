import { parseArgs } from 'node:util'
import { reportLines } from './calls/print.ts'
import { verifyCalls } from './calls/run.ts'

// `npm run verify [-- calls]`: holds what tokenfuse meters against the stand-in's own ledger. The result goes to
// standard output, progress to standard error; the exit code is 1 where anything differs.

const USAGE = `npm run verify -- [calls] [--calls 2000] [--agents 4] [--concurrency 8] [--seed 1] [--json]`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    calls: { type: 'string', default: '2000' },
    agents: { type: 'string', default: '4' },
    concurrency: { type: 'string', default: '8' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
})
process.once('SIGTERM', () => process.exit(143))
process.once('SIGINT', () => process.exit(130))

const [mode = 'calls'] = positionals
if (mode !== 'calls') {
  process.stderr.write(`nothing to verify is called ${mode}; ${USAGE}\n`)
  process.exit(2)
}
const report = await verifyCalls({
  calls: Number(values.calls),
  agents: Number(values.agents),
  concurrency: Number(values.concurrency),
  seed: Number(values.seed),
  tell: (line) => process.stderr.write(`${line}\n`),
})
const text = values.json ? JSON.stringify(report) : reportLines(report).join('\n')
process.stdout.write(`${text}\n`)
if (report.mismatches.length > 0) process.exitCode = 1
