import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import type { UsageAnswer } from '@tokenfuse/protocol'
import { publint } from 'publint'
import { readyLine, stopChild } from '../support/child.ts'
import { installInto, packAll, type PackageFolder, PACKAGES, root } from './support/packages.ts'
import { startSmallProvider, USAGE } from './support/provider.ts'

type Output = { readonly stdout: string; readonly stderr: string }

const run = promisify(execFile)
const tool = (path: string) => join(root, 'node_modules', path)

test('the packed packages, installed into an empty folder', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tokenfuse-packages-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const app = join(folder, 'app')
  mkdirSync(app)
  const tarballs = packAll(folder)
  installInto(app, tarballs)

  await t.test('hold what their manifests promise', () => checkManifests(tarballs))
  await t.test('give types to every kind of importer', () => checkTypes(tarballs))
  await t.test('compile in a program that checks their declarations too', () => compileUser(app))
  await t.test(
    'meter an ESM agent, a CommonJS agent, one with the OpenTelemetry SDK, and one under tokenfuse run',
    (subtest) => meterAgents(subtest, app),
  )
  await t.test(
    'say what they need on a Node that is too old, and leave the program alone',
    (subtest) => stepAside(subtest, app),
  )
})

async function checkManifests(tarballs: Record<PackageFolder, string>): Promise<void> {
  for (const folder of PACKAGES) {
    const tarball = Uint8Array.from(readFileSync(tarballs[folder])).buffer
    const { messages } = await publint({ pack: { tarball }, strict: true })
    assert.deepEqual(messages, [], folder)
  }
}

async function checkTypes(tarballs: Record<PackageFolder, string>): Promise<void> {
  // The command line has nothing to import. `require` of an ES module is what every Node does that the packages support.
  const attw = tool('@arethetypeswrong/cli/dist/index.js')
  const options = ['--profile', 'node16', '--ignore-rules', 'cjs-resolves-to-esm']
  for (const folder of ['protocol', 'instrumentation', 'processor'] as const) {
    await run(process.execPath, [attw, tarballs[folder], ...options, '--no-color'])
  }
}

async function compileUser(app: string): Promise<void> {
  writeFileSync(
    join(app, 'user.mts'),
    `import { endTask, withAgent } from '@tokenfuse/instrumentation'
import { inspectResponse } from '@tokenfuse/instrumentation/providers'
import { startProcessor } from '@tokenfuse/processor'
import { parsePolicy, type UsageEvent } from '@tokenfuse/protocol'
import { picoUsdFromUsd } from '@tokenfuse/protocol/names'

const answer: Promise<string> = withAgent({ agent: 'writer', task: 't-1' }, async () => 'yes')
const cost: bigint = picoUsdFromUsd('0.1')
const agentOf = (event: UsageEvent): string => event.agent
await endTask({ task: 't-1', outcome: 'completed' })
console.log(answer, cost, agentOf, inspectResponse, startProcessor, parsePolicy)
`,
  )
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024']
  const types = ['--types', 'node', '--typeRoots', tool('@types')]
  const tsc = tool('typescript/bin/tsc')
  await run(process.execPath, [tsc, ...options, ...types, 'user.mts'], { cwd: app })
}

const CALL = `
  const response = await fetch(process.env.PROVIDER_URL + '/v1/chat/completions', {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer key' },
    body: JSON.stringify({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Well?' }] }),
  })
  console.log((await response.json()).choices[0].message.content)
`

async function meterAgents(t: TestContext, app: string): Promise<void> {
  const host = await startSmallProvider(t)
  const command = join(app, 'node_modules/tokenfuse/bin/tokenfuse.js')
  const data = join(app, 'data')
  const processor = spawn(
    process.execPath,
    [command, 'up', '--port', '0', '--data', data, '--json'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  t.after(() => stopChild(processor))
  const { url, tokenFile } = await readyLine(processor)

  writeFileSync(
    join(app, 'agent.mjs'),
    `import { withAgent } from '@tokenfuse/instrumentation'\nawait withAgent({ agent: 'esm' }, async () => {${CALL}})\n`,
  )
  writeFileSync(
    join(app, 'agent.cjs'),
    `const { withAgent } = require('@tokenfuse/instrumentation')\nwithAgent({ agent: 'cjs' }, async () => {${CALL}})\n`,
  )
  const environment: NodeJS.ProcessEnv = {
    PATH: process.env['PATH'],
    PROVIDER_URL: `http://${host}`,
    TOKENFUSE_HOSTS: `${host}=openai`,
    TOKENFUSE_URL: String(url),
    TOKENFUSE_TOKEN_FILE: String(tokenFile),
    TOKENFUSE_SPOOL_DIR: join(app, 'spool'),
  }
  const runNode = async (...args: string[]) => {
    const { stdout } = await run(process.execPath, args, { cwd: app, env: environment })
    return stdout
  }
  const register = '@tokenfuse/instrumentation/register'
  assert.equal(await runNode('--import', register, 'agent.mjs'), 'Yes.\n')
  assert.equal(await runNode('--require', register, 'agent.cjs'), 'Yes.\n')
  // With a whole OpenTelemetry, whose metrics and HTTP spans the processor takes and has no use for.
  const token = readFileSync(String(tokenFile), 'utf8').trim()
  environment['OTEL_EXPORTER_OTLP_ENDPOINT'] = String(url)
  environment['OTEL_EXPORTER_OTLP_HEADERS'] = `authorization=Bearer%20${token}`
  assert.equal(await runNode('--import', `${register}-sdk`, 'agent.mjs'), 'Yes.\n')
  // This one also sends what the two before it had no time to.
  assert.equal(await runNode(command, 'run', '--', process.execPath, 'agent.mjs'), 'Yes.\n')

  const answer: UsageAnswer = JSON.parse(await runNode(command, 'usage', '--by', 'agent', '--json'))
  const rows = answer.rows.map(({ values, calls, inputTokens, outputTokens, costPicoUsd }) => [
    values.agent,
    calls,
    inputTokens,
    outputTokens,
    costPicoUsd,
  ])
  const { prompt_tokens: input, completion_tokens: output } = USAGE
  assert.deepEqual(rows, [
    // 1000 * 0.15 and 50 * 0.60 micro-USD are 180 a call
    ['esm', 3, 3 * input, 3 * output, '540000000'],
    ['cjs', 1, input, output, '180000000'],
  ])
}

async function stepAside(t: TestContext, app: string): Promise<void> {
  const old = await olderNode()
  if (old === null) {
    t.skip('no Node older than 22.15 is on the PATH')
    return
  }
  const register = '@tokenfuse/instrumentation/register'
  for (const option of ['--import', '--require']) {
    const args = [option, register, '-p', '"still runs"']
    const { stdout, stderr }: Output = await run(old, args, { cwd: app })
    assert.equal(stdout, 'still runs\n')
    assert.match(stderr, /^tokenfuse: needs Node 22\.15, but this is [^\n]+\n$/)
  }
  const command = join(app, 'node_modules/tokenfuse/bin/tokenfuse.js')
  await assert.rejects(run(old, [command, '--version'], { cwd: app }), {
    code: 1,
    stdout: '',
    stderr: /needs Node 24 or later/,
  })
}

/** A Node that the machine has beside the one that runs the tests, where it is older than the preload supports. */
async function olderNode(): Promise<string | null> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const binary = join(folder, 'node')
    if (folder === '' || !existsSync(binary)) continue
    const { stdout }: Output = await run(binary, ['-p', 'process.versions.node'])
    const [major = 0, minor = 0] = stdout.split('.').map(Number)
    if (major < 22 || (major === 22 && minor < 15)) return binary
  }
  return null
}
