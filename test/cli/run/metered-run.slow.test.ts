import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, after, test, type TestContext } from 'node:test'
import { ProcessorClient } from '../../../cli/src/processor/client.ts'
import { findProcessor } from '../../../cli/src/processor/find.ts'
import type { RunReport } from '../../../cli/src/run/summary.ts'
import { runProcessor, temporaryFolder } from '../../support/processor.ts'
import { type Provider, startProvider } from '../../support/provider/client.ts'
import { startTokenfuse, tokenfuse } from '../../support/tokenfuse-command.ts'

let provider: Provider
before(async () => {
  provider = await startProvider()
})
after(() => provider.stop())

/** An agent that makes so many calls, says "called", and then does what the test wants. */
function agentFile(folder: string, calls: number, then = ''): string {
  const file = join(folder, 'agent.mjs')
  const body = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hello' }] }
  writeFileSync(
    file,
    `for (let call = 0; call < ${calls}; call++) {
       const response = await fetch('${provider.url}/v1/chat/completions', {
         method: 'POST',
         headers: { 'x-stand-in-label': process.env.TOKENFUSE_AGENT ?? 'unknown', authorization: 'Bearer none' },
         body: ${JSON.stringify(JSON.stringify(body))},
       })
       await response.json()
     }
     console.log('called')
     ${then}\n`,
  )
  return file
}

const hosts = () => `${new URL(provider.url).host}=openai+usage`
const agentEnv = (agent: string, folder: string) => ({
  TOKENFUSE_HOSTS: hosts(),
  TOKENFUSE_AGENT: agent,
  TOKENFUSE_SPOOL_DIR: join(folder, 'spool'),
})

async function billed(agent: string): Promise<{ calls: number; costPicoUsd: string }> {
  const entries = (await provider.ledger()).filter(({ label }) => label === agent)
  const cost = entries.reduce((sum, { costPicoUsd }) => sum + BigInt(costPicoUsd), 0n)
  return { calls: entries.length, costPicoUsd: String(cost) }
}

const reportOf = (stderr: string) => JSON.parse(stderr.trim().split('\n').at(-1) ?? '') as RunReport

function assertBilled(report: RunReport, bill: Awaited<ReturnType<typeof billed>>): void {
  const { calls, costPicoUsd } = report.total
  assert.deepEqual({ calls, costPicoUsd }, bill)
}

test('a run meters its command to the pico-USD, leaves stdout alone, keeps its state and ends its processor', async (t) => {
  const folder = join(temporaryFolder(t), 'a folder with blanks')
  mkdirSync(folder)
  const file = agentFile(folder, 3, 'process.exit(7)')
  const { code, stdout, stderr } = await tokenfuse(['run', '--json', '--', 'node', file], {
    folder,
    env: agentEnv('first', folder),
  })
  assert.equal(code, 7)
  assert.equal(stdout, 'called\n')
  const report = reportOf(stderr)
  assertBilled(report, await billed('first'))
  assert.equal(report.agents[0]?.values.agent, 'first')
  assert.ok(!existsSync(join(folder, '.tokenfuse/endpoint.json')), 'its processor has ended')
  // The next run counts from there, and its summary is of itself alone.
  const again = await tokenfuse(['run', 'node', file], { folder, env: agentEnv('second', folder) })
  assert.match(again.stderr, /^tokenfuse {2}3 calls \u00b7 \$0\.\d+ \u00b7 /)
  assert.match(again.stderr, /^ {2}second +3 /m)
  assert.doesNotMatch(again.stderr, /first/)
})

test('what a command that was killed had not reported yet is sent by its run', async (t) => {
  const folder = temporaryFolder(t)
  const file = agentFile(folder, 2, `process.kill(process.pid, 'SIGKILL')`)
  const { signal, stderr } = await tokenfuse(['run', '--json', '--', 'node', file], {
    folder,
    env: agentEnv('killed', folder),
  })
  assert.equal(signal, 'SIGKILL')
  assertBilled(reportOf(stderr), await billed('killed'))
})

test('signals reach the command, and its end by one is passed on', async (t) => {
  const folder = temporaryFolder(t)
  const listening = `process.on('SIGTERM', () => process.exit(5)); setInterval(() => {}, 1000); console.log('here')`
  const deaf = `setInterval(() => {}, 1000); console.log('here')`
  for (const { source, signal, wanted } of [
    { source: listening, signal: 'SIGTERM', wanted: { code: 5, signal: null } },
    { source: deaf, signal: 'SIGINT', wanted: { code: null, signal: 'SIGINT' } },
  ] as const) {
    const { child, ended } = startTokenfuse(['run', '--', 'node', '-e', source], { folder })
    await once(child.stdout ?? child, 'data')
    child.kill(signal)
    const end = await ended
    assert.deepEqual({ code: end.code, signal: end.signal }, wanted)
    assert.match(end.stderr, /tokenfuse {2}no model calls seen/)
  }
})

test('a command that is no Node program runs with its own input and output; one that is not there is 127', async (t) => {
  const folder = temporaryFolder(t)
  const [cat, missing] = await Promise.all([
    tokenfuse(['run', '--quiet', '--', 'sh', '-c', 'cat; echo $TOKENFUSE_URL >&2; exit 3'], {
      folder,
      input: 'as it was',
    }),
    tokenfuse(['run', '--', 'no-such-command'], { folder: temporaryFolder(t) }),
  ])
  assert.equal(cat.code, 3)
  assert.equal(cat.stdout, 'as it was')
  assert.match(cat.stderr, /^http:\/\/127\.0\.0\.1:\d+\n$/)
  assert.equal(missing.code, 127)
  assert.match(missing.stderr, /there is no command "no-such-command"/)
})

test('two runs in one folder share a processor, which goes on until the last of them has ended', async (t) => {
  const folder = temporaryFolder(t)
  const until = (name: string) => `
    import { existsSync } from 'node:fs'
    const timer = setInterval(() => existsSync('${join(folder, name)}') && clearInterval(timer), 20)`
  const start = async (agent: string) => {
    const where = join(folder, agent)
    mkdirSync(where)
    const file = agentFile(where, 2, until(`${agent}-may-end`))
    const args = ['run', '--json', '--data', join(folder, 'state'), '--', 'node', file]
    const run = startTokenfuse(args, { folder, env: agentEnv(agent, folder) })
    await once(run.child.stdout ?? run.child, 'data')
    return run
  }
  const endpoint = () => readFileSync(join(folder, 'state/endpoint.json'), 'utf8')
  const first = await start('one')
  const used = endpoint()
  const second = await start('two')
  assert.equal(endpoint(), used)
  writeFileSync(join(folder, 'one-may-end'), '')
  assertBilled(reportOf((await first.ended).stderr), await billed('one'))
  assert.equal(endpoint(), used, 'the second run still has its processor')
  const address = findProcessor({ data: join(folder, 'state') }, {})
  assert.ok(address && (await new ProcessorClient(address).isReady()))
  writeFileSync(join(folder, 'two-may-end'), '')
  assertBilled(reportOf((await second.ended).stderr), await billed('two'))
  await gone(join(folder, 'state/endpoint.json'), t)
})

/** Resolves once a file is removed. */
async function gone(file: string, t: TestContext): Promise<void> {
  while (existsSync(file)) {
    t.signal.throwIfAborted()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test('runs that begin at once in a new folder agree on one processor', async (t) => {
  const folder = temporaryFolder(t)
  const file = agentFile(folder, 1)
  const names = ['left', 'right']
  const ends = await Promise.all(
    names.map((name) =>
      tokenfuse(['run', '--json', '--', 'node', file], { folder, env: agentEnv(name, folder) }),
    ),
  )
  for (const [index, { code, stderr }] of ends.entries()) {
    assert.equal(code, 0, stderr)
    assertBilled(reportOf(stderr), await billed(names[index] ?? ''))
  }
})

test('a processor that is killed under a run costs nothing: another one takes what was left', async (t) => {
  const folder = temporaryFolder(t)
  const killed = join(folder, 'killed')
  const file = agentFile(
    folder,
    2,
    `import { existsSync } from 'node:fs'
     const timer = setInterval(() => existsSync('${killed}') && clearInterval(timer), 20)`,
  )
  const run = startTokenfuse(['run', '--json', '--', 'node', file], {
    folder,
    env: agentEnv('orphan', folder),
  })
  await once(run.child.stdout ?? run.child, 'data')
  const endpoint = readFileSync(join(folder, '.tokenfuse/endpoint.json'), 'utf8')
  process.kill((JSON.parse(endpoint) as { pid: number }).pid, 'SIGKILL')
  writeFileSync(killed, '')
  const { code, stderr } = await run.ended
  assert.equal(code, 0)
  assertBilled(reportOf(stderr), await billed('orphan'))
})

test('a processor that runs already is used and left running', async (t) => {
  const { dataDirectory, processor } = await runProcessor(t)
  const folder = temporaryFolder(t)
  const file = agentFile(folder, 1)
  const args = ['run', '--json', '--data', dataDirectory, '--', 'node', file]
  const { code, stderr } = await tokenfuse(args, { folder, env: agentEnv('guest', folder) })
  assert.equal(code, 0)
  assertBilled(reportOf(stderr), await billed('guest'))
  const client = new ProcessorClient({
    url: processor.url,
    token: processor.token,
    tokenFile: null,
  })
  assert.equal((await client.status()).total.calls, 1)
})

test('an address at which nothing answers is told before the command is started', async (t) => {
  const folder = temporaryFolder(t)
  const args = ['run', '--url', 'http://127.0.0.1:9', '--', 'touch', 'started']
  const { code, stderr } = await tokenfuse(args, { folder })
  assert.equal(code, 1)
  assert.match(stderr, /no processor answers at http:\/\/127\.0\.0\.1:9\nfix: /)
  assert.ok(!existsSync(join(folder, 'started')))
})
