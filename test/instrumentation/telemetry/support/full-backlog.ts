import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { TestContext } from 'node:test'

const LISTENER = `const server = require('node:net').createServer()
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  process.stdout.write(String(server.address().port))
})`

/**
 * An address at which a connect is neither taken nor refused: a stopped process whose queue is full. `null` after
 * marking the test as skipped where the system keeps its queues otherwise.
 */
export async function fullBacklog(t: TestContext): Promise<string | null> {
  if (process.platform !== 'linux') {
    t.skip('needs a queue of connections as Linux keeps it')
    return null
  }
  const child = spawn(process.execPath, ['-e', LISTENER], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  const [text] = (await once(child.stdout, 'data')) as [Buffer]
  const port = Number(text.toString())
  child.kill('SIGSTOP')
  const filling = Array.from({ length: 4 }, () => connect(port, '127.0.0.1').on('error', () => {}))
  t.after(() => filling.forEach((socket) => socket.destroy()))
  await Promise.all(filling.slice(0, 2).map((socket) => once(socket, 'connect')))
  return `http://127.0.0.1:${port}`
}
