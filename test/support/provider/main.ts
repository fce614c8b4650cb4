import type { AddressInfo } from 'node:net'
import { parseArgs } from 'node:util'
import { DEFAULT_CONFIG, mergeConfig } from './config.ts'
import { asObject } from './json.ts'
import { createProvider } from './server.ts'

// The stand-in as a process: `node main.ts --port 0 [--config JSON]` prints `{"url"}` when it listens, and ends on
// SIGTERM or when its standard input closes, so that it never outlives whoever started it.

const { values } = parseArgs({
  options: { port: { type: 'string', default: '0' }, config: { type: 'string', default: '{}' } },
})
const patch = asObject(JSON.parse(values.config))
if (!patch) throw new Error('--config takes a JSON object')
const server = createProvider(mergeConfig(DEFAULT_CONFIG, patch))

server.listen(Number(values.port), '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`)
})
process.once('SIGTERM', () => process.exit(0))
process.stdin.once('close', () => process.exit(0)).resume()
