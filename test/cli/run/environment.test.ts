import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runEnvironment, withoutPreload } from '../../../cli/src/run/environment.ts'

const ADDRESS = { url: 'http://127.0.0.1:1', token: 'secret', tokenFile: '/data/token' }
const PRELOAD = /--import=file:\/\/\/\S+\/register\.js/

test('the preload is appended to the options that are there, by an absolute address without blanks', () => {
  const alone = runEnvironment({}, ADDRESS).env['NODE_OPTIONS'] ?? ''
  assert.match(alone, new RegExp(`^${PRELOAD.source}$`))
  const { env } = runEnvironment({ NODE_OPTIONS: '--max-old-space-size=512' }, ADDRESS)
  assert.equal(env['NODE_OPTIONS'], `--max-old-space-size=512 ${alone}`)
})

test('a run within a run loads the preload once and keeps the name of the outer one', () => {
  const outer = runEnvironment({ TOKENFUSE_TAGS: 'team=a' }, ADDRESS)
  const inner = runEnvironment(outer.env, ADDRESS)
  assert.equal(inner.env['NODE_OPTIONS'], outer.env['NODE_OPTIONS'])
  assert.equal(inner.run, outer.run)
  assert.equal(outer.env['TOKENFUSE_TAGS'], `run=${outer.run},team=a`)
  assert.equal(inner.env['TOKENFUSE_TAGS'], outer.env['TOKENFUSE_TAGS'])
})

test('a bounded run within a run has a tag of its own beside that of the outer one', () => {
  const outer = runEnvironment({}, ADDRESS, true)
  assert.deepEqual(outer.own.tag, { name: 'run', value: outer.run })
  const inner = runEnvironment(outer.env, ADDRESS, true)
  assert.equal(inner.run, outer.run)
  assert.equal(
    inner.env['TOKENFUSE_TAGS'],
    `${inner.own.tag.name}=${inner.own.tag.value},run=${outer.run}`,
  )
  assert.notEqual(inner.own.tag.name, 'run')
})

test('every run has a name of its own', () => {
  const names = new Set(Array.from({ length: 100 }, () => runEnvironment({}, ADDRESS).run))
  assert.equal(names.size, 100)
})

test('the token is that of the processor that was found, whatever the environment had', () => {
  const before = { TOKENFUSE_TOKEN: 'stale', TOKENFUSE_TOKEN_FILE: '/stale' }
  const byFile = runEnvironment(before, ADDRESS).env
  assert.equal(byFile['TOKENFUSE_TOKEN'], undefined)
  assert.equal(byFile['TOKENFUSE_TOKEN_FILE'], '/data/token')
  const byToken = runEnvironment(before, { ...ADDRESS, tokenFile: null }).env
  assert.equal(byToken['TOKENFUSE_TOKEN'], 'secret')
  assert.equal(byToken['TOKENFUSE_TOKEN_FILE'], undefined)
})

test('our own processes are started without the preload, with the other options kept', () => {
  const { env } = runEnvironment({ NODE_OPTIONS: '--no-warnings' }, ADDRESS)
  assert.equal(withoutPreload(env)['NODE_OPTIONS'], '--no-warnings')
  assert.equal(withoutPreload(runEnvironment({}, ADDRESS).env)['NODE_OPTIONS'], undefined)
})
