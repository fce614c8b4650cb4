import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { TokenfuseError } from '@tokenfuse/protocol'
import {
  destinationsOf,
  processorTarget,
  tracesTarget,
  withPath,
} from '../../../instrumentation/src/transport/target.ts'
import type { Target } from '../../../instrumentation/src/transport/target.ts'
import { temporaryFolder } from '../telemetry/support/spool.ts'

/** A working folder with the files of a processor in it. */
function folder(t: TestContext, files: Record<string, string> = {}): string {
  const workingDirectory = temporaryFolder(t)
  mkdirSync(join(workingDirectory, '.tokenfuse'))
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(workingDirectory, '.tokenfuse', name), text)
  }
  return workingDirectory
}

const brief = ({ url, headers }: Target) => [url.href, headers['authorization'] ?? null]

const local = { token: 'local\n', 'endpoint.json': '{"url":"http://127.0.0.1:5001","pid":1}' }

test('the processor is the one that is named, else the one of this folder, else the default', (t) => {
  const find = (environment: Record<string, string>, files: Record<string, string> = {}) =>
    brief(processorTarget({ environment, workingDirectory: folder(t, files) }))
  assert.deepEqual(find({}), ['http://127.0.0.1:4319/', null])
  assert.deepEqual(find({}, { token: 'local' }), ['http://127.0.0.1:4319/', 'Bearer local'])
  assert.deepEqual(find({}, local), ['http://127.0.0.1:5001/', 'Bearer local'])
  assert.deepEqual(
    find({ TOKENFUSE_URL: 'https://fuse.example/x', TOKENFUSE_TOKEN: 'given' }, local),
    ['https://fuse.example/x', 'Bearer given'],
  )
  assert.deepEqual(find({ TOKENFUSE_URL: 'http://127.0.0.1:5001' }, local), [
    'http://127.0.0.1:5001/',
    'Bearer local',
  ])
  assert.deepEqual(find({ TOKENFUSE_URL: ' ' }, local), ['http://127.0.0.1:5001/', 'Bearer local'])
})

test("this folder's token is told to no address but this folder's processor", (t) => {
  for (const url of ['https://fuse.example', 'http://127.0.0.1:5002', 'http://localhost:5001']) {
    const target = processorTarget({
      environment: { TOKENFUSE_URL: url },
      workingDirectory: folder(t, local),
    })
    assert.deepEqual(target.headers, {}, url)
  }
})

test('a folder that came from elsewhere cannot send reports off this machine', (t) => {
  for (const text of [
    '{"url":"https://evil.example"}',
    '{"url":"http://127.0.0.1.evil.example"}',
    '{"url":"file:///etc/passwd"}',
    '{"url":7}',
    '{"ur',
    'null',
    '',
  ]) {
    const target = processorTarget({
      environment: {},
      workingDirectory: folder(t, { 'endpoint.json': text }),
    })
    assert.equal(target.url.href, 'http://127.0.0.1:4319/', text)
  }
})

test('a token file is read anew each time, and one that cannot be read is no token', (t) => {
  const workingDirectory = temporaryFolder(t)
  const file = join(workingDirectory, 'token')
  const find = () =>
    processorTarget({ environment: { TOKENFUSE_TOKEN_FILE: file }, workingDirectory }).headers
  assert.deepEqual(find(), {})
  writeFileSync(file, 'one\n')
  assert.deepEqual(find(), { authorization: 'Bearer one' })
  writeFileSync(file, 'two')
  assert.deepEqual(find(), { authorization: 'Bearer two' })
})

test('spans go to the OpenTelemetry endpoint as OpenTelemetry reads it, and then without our token', (t) => {
  const workingDirectory = folder(t, local)
  const find = (environment: Record<string, string>) =>
    tracesTarget({ environment: { TOKENFUSE_TOKEN: 'ours', ...environment }, workingDirectory })
  assert.equal(find({}).url.href, 'http://127.0.0.1:5001/v1/traces')
  const base = find({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/otlp/',
    OTEL_EXPORTER_OTLP_HEADERS: 'Api-Key=a%20b, x=1,=,broken,y=%',
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x=2',
  })
  assert.equal(base.url.href, 'http://collector:4318/otlp/v1/traces')
  assert.deepEqual(base.headers, { 'api-key': 'a b', x: '2', y: '%' })
  const traces = find({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://other:4318/as/is',
  })
  assert.equal(traces.url.href, 'http://other:4318/as/is')
})

test('an address that is none is said to be none, with the name of the setting', (t) => {
  for (const url of ['127.0.0.1:4319', 'ftp://host', 'http://', 'x']) {
    assert.throws(
      () => processorTarget({ environment: { TOKENFUSE_URL: url }, workingDirectory: folder(t) }),
      (error: unknown) =>
        TokenfuseError.isInstance(error) &&
        error.code === 'url_invalid' &&
        error.message.includes('TOKENFUSE_URL'),
    )
  }
})

test('a path is put below the path of an address, its query after it', () => {
  const href = (base: string, path: string) => withPath(new URL(base), path).href
  assert.equal(href('http://h', '/v1/stream?guard=a%3Db'), 'http://h/v1/stream?guard=a%3Db')
  assert.equal(href('http://h/base/', '/v1/traces'), 'http://h/base/v1/traces')
})

test('who gets the spans is known across ports, tokens and restarts, and told apart otherwise', () => {
  const names = (url: string, token: string | null, dataDirectory: string | null = null) =>
    destinationsOf({
      url: new URL(url),
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
      dataDirectory,
    })
  const knows = (reader: readonly string[], writer: readonly string[]) =>
    reader.includes(writer[0] ?? '')
  const here = 'http://127.0.0.1:5001/v1/traces'
  assert.ok(knows(names('http://127.0.0.1:5002/v1/traces', 'a'), names(here, 'a')), 'another port')
  assert.ok(!knows(names(here, 'b'), names(here, 'a')), 'another processor on the same port')
  assert.ok(
    knows(names(here, 'a', '/p/.tokenfuse'), names(here, null, '/p/.tokenfuse')),
    'no token yet',
  )
  assert.ok(
    !knows(names(here, 'b', '/q/.tokenfuse'), names(here, null, '/p/.tokenfuse')),
    'another folder',
  )
  const away = 'https://fuse.example/v1/traces'
  assert.ok(knows(names(away, 'new'), names(away, 'old')), 'a rotated token')
  assert.ok(!knows(names('https://other.example/v1/traces', 'a'), names(away, 'a')), 'another host')
  for (const name of names(here, 'a', '/p')) assert.match(name, /^[0-9a-f]{16}$/)
})
