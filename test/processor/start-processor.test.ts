import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { StatusAnswer, UsageAnswer } from '@tokenfuse/protocol'
import { startProcessor } from '../../processor/src/start-processor.ts'
import { ask, call, runProcessor, spawnProcessor, temporaryFolder } from '../support/processor.ts'
import { callSpan, callsRequest } from '../support/spans.ts'
import { otlpRequest } from './meter/otlp.ts'

const BUDGET = 'version: 1\nbudgets: [{ id: all, limit: { usd: 5 }, window: day }]\n'

function policyAt(t: TestContext, text: string): string {
  const path = join(temporaryFolder(t), 'tokenfuse.yaml')
  writeFileSync(path, text)
  return path
}

/** Collects what the processor says; `said` resolves with the first line that fits. */
function listener() {
  const lines: string[] = []
  let waiting: { wanted: RegExp; resolve: (line: string) => void } | null = null
  return {
    log: (line: string) => {
      lines.push(line)
      if (waiting?.wanted.test(line)) waiting.resolve(line)
    },
    said: (wanted: RegExp) => {
      const line = lines.find((candidate) => wanted.test(candidate))
      if (line !== undefined) return Promise.resolve(line)
      return new Promise<string>((resolve) => {
        waiting = { wanted, resolve }
      })
    },
  }
}

test('its folder is its own: token for the owner alone and kept, endpoint told, nothing for git', async (t) => {
  const { processor, dataDirectory, token } = await runProcessor(t)
  assert.equal(statSync(join(dataDirectory, 'token')).mode & 0o777, 0o600)
  assert.equal(statSync(dataDirectory).mode & 0o777, 0o700)
  assert.equal(readFileSync(join(dataDirectory, '.gitignore'), 'utf8'), '*\n')
  const endpoint: unknown = JSON.parse(readFileSync(join(dataDirectory, 'endpoint.json'), 'utf8'))
  assert.deepEqual(endpoint, { url: processor.url, pid: process.pid })
  assert.equal(Buffer.from(token, 'base64url').length, 32)
  await processor.close()
  const again = await startProcessor({ dataDirectory, port: 0 })
  assert.equal(again.token, token)
  await again.close()
  // A write that was cut off may have left an empty file, which must not become an empty token.
  writeFileSync(join(dataDirectory, 'token'), '')
  const anew = await startProcessor({ dataDirectory, port: 0 })
  assert.equal(Buffer.from(anew.token, 'base64url').length, 32)
  await anew.close()
})

test('a second processor on the same folder is refused and told who has it, also across processes', async (t) => {
  const { dataDirectory, url } = await runProcessor(t)
  const who = new RegExp(`pid ${process.pid}, ${url.replaceAll('.', '\\.')}`)
  await assert.rejects(startProcessor({ dataDirectory, port: 0 }), {
    code: 'already_running',
    message: who,
    fix: /--data/,
  })
  const folder = join(temporaryFolder(t), 'data')
  const other = await spawnProcessor(t, folder)
  await assert.rejects(startProcessor({ dataDirectory: folder, port: 0 }), {
    code: 'already_running',
    message: new RegExp(other.url),
  })
  await other.kill('SIGKILL')
  const after = await startProcessor({ dataDirectory: folder, port: 0 })
  await after.close()
})

test('it listens on this machine alone, and says when the port is taken', async (t) => {
  const dataDirectory = join(temporaryFolder(t), 'data')
  await assert.rejects(startProcessor({ dataDirectory, port: 0, host: '0.0.0.0' }), {
    code: 'not_loopback',
  })
  const taken = createServer().listen(0, '127.0.0.1')
  t.after(() => taken.close())
  await once(taken, 'listening')
  const address = taken.address()
  const port = typeof address === 'object' && address ? address.port : 0
  await assert.rejects(startProcessor({ dataDirectory, port }), {
    code: 'address_in_use',
    fix: /--port/,
  })
  // What was refused has let go of the folder.
  await (await startProcessor({ dataDirectory, port: 0 })).close()
})

test('a policy file that does not hold stops the start, with every place; a missing one that was named too', async (t) => {
  const dataDirectory = join(temporaryFolder(t), 'data')
  const policyFile = policyAt(
    t,
    'version: 1\nbudgets: [{ id: A, limit: { usd: x }, window: year }]\n',
  )
  await assert.rejects(startProcessor({ dataDirectory, port: 0, policyFile }), {
    code: 'policy_invalid',
    message: /tokenfuse\.yaml:2:\d+ budgets\[0\]\.id.*\n.*limit.*\n.*window/,
  })
  rmSync(policyFile)
  await assert.rejects(startProcessor({ dataDirectory, port: 0, policyFile }), {
    code: 'policy_unreadable',
  })
})

test('the policy beside the data folder comes into force by itself, once', async (t) => {
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'project'))
  writeFileSync(join(folder, 'project', 'tokenfuse.yaml'), BUDGET)
  const dataDirectory = join(folder, 'project', '.tokenfuse')
  for (let start = 0; start < 2; start++) {
    const processor = await startProcessor({ dataDirectory, port: 0 })
    const status = await ask<StatusAnswer>(processor, '/v1/status')
    assert.equal(status.policyVersion, 1)
    assert.equal(status.offset, 1, 'the same policy is not appended again')
    await processor.close()
  }
})

test('a good edit comes into force; a bad one is told of and shown, and the policy before stays', async (t) => {
  const policyFile = policyAt(t, BUDGET)
  const { log, said } = listener()
  const processor = await runProcessor(t, { policyFile, log })
  writeFileSync(policyFile, 'version: 2\n')
  await said(/stays in force/)
  const bad = await ask<StatusAnswer>(processor, '/v1/status')
  assert.equal(bad.policyVersion, 1)
  assert.match(bad.policyProblem ?? '', /tokenfuse\.yaml:1:\d+ version/)
  writeFileSync(policyFile, BUDGET.replace('usd: 5', 'usd: 6'))
  await said(/^policy 2 /)
  const good = await ask<StatusAnswer>(processor, '/v1/status')
  assert.deepEqual([good.policyVersion, good.policyProblem], [2, null])
  rmSync(policyFile)
  await said(/is missing/)
  const gone = await ask<StatusAnswer>(processor, '/v1/status')
  assert.equal(gone.policyVersion, 2)
  assert.match(gone.policyProblem ?? '', /missing/)
})

test('prices of the policy in force hold for the next call', async (t) => {
  const policyFile = policyAt(t, BUDGET)
  const { log, said } = listener()
  const processor = await runProcessor(t, { policyFile, log })
  writeFileSync(
    policyFile,
    `${BUDGET}prices: [{ model: gpt-*, inputUsdPerMillion: 1, outputUsdPerMillion: 2 }]\n`,
  )
  await said(/^policy 2 /)
  await ask(processor, '/v1/traces', callsRequest(1))
  const { total } = await ask<UsageAnswer>(processor, '/v1/usage')
  // 100 x 1 + 10 x 2 USD a million
  assert.equal(total.costPicoUsd, '120000000')
})

test('a call that ended too long ago is kept aside and shown, and only once after a restart', async (t) => {
  const { processor, dataDirectory } = await runProcessor(t)
  const late = { ...callSpan(), startTimeUnixNano: '1600000000000000000' }
  await ask(
    processor,
    '/v1/traces',
    otlpRequest([{ ...late, endTimeUnixNano: '1600000001000000000' }]),
  )
  await processor.close()
  const again = await startProcessor({ dataDirectory, port: 0 })
  t.after(() => again.close())
  const status = await ask<StatusAnswer>(again, '/v1/status')
  assert.equal(status.total.calls, 0)
  assert.equal(status.deadLetters, 1)
})

test('old log goes once the state is stored, and what was counted stays', async (t) => {
  const { processor, dataDirectory } = await runProcessor(t, {
    retention: { retentionMs: 1 },
    snapshotIntervalMs: 10,
  })
  await ask(processor, '/v1/traces', callsRequest(50))
  let status = await ask<StatusAnswer>(processor, '/v1/status')
  for (let asked = 0; status.log.events > 1 && asked < 500; asked++) {
    await ask(processor, '/v1/traces', callsRequest(1))
    status = await ask<StatusAnswer>(processor, '/v1/status')
  }
  assert.ok(status.log.events < status.offset, 'log was deleted')
  const before = status.total
  await processor.close()
  const again = await startProcessor({ dataDirectory, port: 0 })
  t.after(() => again.close())
  assert.deepEqual((await ask<StatusAnswer>(again, '/v1/status')).total, before)
})

test('what was counted and what is told to Prometheus agree', async (t) => {
  const processor = await runProcessor(t)
  const request = callsRequest(4)
  await ask(processor, '/v1/traces', request)
  await ask(processor, '/v1/traces', request)
  const text = await (await call(processor, '/metrics')).text()
  const labels = 'agent="writer",provider="openai",model="gpt-4o-mini"'
  for (const line of [
    `tokenfuse_usage_events_total{${labels},source="provider"} 4`,
    `tokenfuse_tokens_total{${labels},kind="input"} 400`,
    `tokenfuse_tokens_total{${labels},kind="output"} 40`,
    // four calls of 21 micro-USD
    `tokenfuse_cost_usd_total{${labels}} 0.000084`,
    'tokenfuse_usage_duplicate_events_total 4',
    'tokenfuse_spans_received_total 8',
    'tokenfuse_decision_lag_seconds_count 4',
  ]) {
    assert.ok(text.includes(`${line}\n`), `${line} is missing in\n${text}`)
  }
})
