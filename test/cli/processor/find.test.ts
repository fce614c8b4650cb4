import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { dataDirectory, findProcessor } from '../../../cli/src/processor/find.ts'
import { temporaryFolder } from '../../support/processor.ts'

function dataFolder(t: TestContext, endpoint = '{"url":"http://127.0.0.1:1111/","pid":1}') {
  const data = join(temporaryFolder(t), 'state')
  mkdirSync(data)
  writeFileSync(join(data, 'endpoint.json'), endpoint)
  writeFileSync(join(data, 'token'), 'of-the-folder\n')
  return data
}

test('the address is --url, else --data, else TOKENFUSE_URL, else the folder here', (t) => {
  const data = dataFolder(t)
  const env = { TOKENFUSE_URL: 'http://from.env:1/' }
  const url = (options: Parameters<typeof findProcessor>[0], variables = {}) =>
    findProcessor(options, variables)?.url ?? null
  assert.equal(url({ url: 'http://named:2', data }, env), 'http://named:2')
  assert.equal(url({ data }, env), 'http://127.0.0.1:1111')
  assert.equal(url({}, env), 'http://from.env:1')
  assert.equal(url({ data: join(data, 'nothing') }), null)
  assert.match(dataDirectory({}), /\.tokenfuse$/)
})

test('a token comes by the way by which the address came, so that none goes to a stranger', (t) => {
  const data = dataFolder(t)
  const file = join(temporaryFolder(t), 'secret')
  writeFileSync(file, 'of-the-file\n')
  const env = { TOKENFUSE_URL: 'http://from.env:1', TOKENFUSE_TOKEN: 'of-the-environment' }
  const token = (options: Parameters<typeof findProcessor>[0], variables = {}) =>
    findProcessor(options, variables)?.token
  assert.equal(token({ data }, env), 'of-the-folder')
  assert.equal(token({ data, token: 'given' }, env), 'given')
  assert.equal(token({}, env), 'of-the-environment')
  assert.equal(
    token({}, { TOKENFUSE_URL: 'http://x:1', TOKENFUSE_TOKEN_FILE: file }),
    'of-the-file',
  )
})

test('what cannot be an address, and a token file that is not there, are errors', (t) => {
  assert.throws(() => findProcessor({ url: 'localhost:4319' }, {}), { code: 'url_invalid' })
  const missing = join(temporaryFolder(t), 'none')
  const env = { TOKENFUSE_URL: 'http://x:1', TOKENFUSE_TOKEN_FILE: missing }
  assert.throws(() => findProcessor({}, env), { code: 'file_unreadable' })
})

test('an endpoint file that holds nonsense is as good as none', (t) => {
  for (const text of ['', '{', 'null', '7', '{"url":7}', '{"url":"file:///etc"}']) {
    assert.equal(findProcessor({ data: dataFolder(t, text) }, {}), null, text)
  }
})
