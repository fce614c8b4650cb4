import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../support/processor.ts'
import { COMMAND, tokenfuse } from '../support/tokenfuse-command.ts'

/** Makes a runtime say that it is an older one. */
const PRETEND_OLD = `--import=data:text/javascript,${encodeURIComponent(
  `const fake = { ...process.versions, node: '20.19.0' }
   if (!process.env.PRETENDED) Object.defineProperty(process, 'versions', { value: fake })
   process.env.PRETENDED = '1'`,
)}`

const onOldNode = (file: string, args: readonly string[], folder?: string) =>
  spawnSync(process.execPath, [PRETEND_OLD, '-C', 'tokenfuse-source', file, ...args], {
    encoding: 'utf8',
    ...(folder === undefined ? {} : { cwd: folder }),
  })

test('a runtime that is too old is told which one is needed and how to get it', (t) => {
  const folder = temporaryFolder(t)
  const alone = join(folder, 'tokenfuse.mjs')
  copyFileSync(COMMAND, alone)
  const { status, stdout, stderr } = onOldNode(alone, ['usage'], folder)
  assert.equal(status, 1)
  assert.equal(stdout, '')
  assert.match(stderr, /needs Node 24 or later, but this is Node 20\.19\.0/)
  assert.match(stderr, /npm install --save-dev node@24/)
})

test('a runtime that is too old hands over to the Node that the project carries, and ends as it ends', () => {
  const { status, stderr } = onOldNode(COMMAND, ['usage', '--nonsense'])
  assert.doesNotMatch(stderr, /needs Node/)
  // Whether the carried Node finds a built command or not, it was asked.
  assert.match(stderr, /unknown option '--nonsense'|is not built/)
  assert.notEqual(status, 0)
})

test('what is called wrongly ends with 2, says so on stderr and prints no data', async () => {
  const wrong = [
    ['nosuch'],
    ['usage', '--by', 'colour'],
    ['usage', '--period', 'yesterday'],
    ['top', '--top', '0'],
    ['up', '--port', '70000'],
    ['run'],
    ['inspect', 'file.json'],
    ['inspect', 'file.json', '--url', 'api.openai.com'],
  ]
  const ends = await Promise.all(wrong.map((args) => tokenfuse(args)))
  for (const [index, { code, stdout, stderr }] of ends.entries()) {
    const name = wrong[index]?.join(' ')
    assert.equal(code, 2, name)
    assert.equal(stdout, '', name)
    assert.match(stderr, /^error: .+\nfix: {3}.+\n/s, name)
  }
})

test('help goes to stdout, shows an example for every command, and ends with 0', async () => {
  const { code, stdout } = await tokenfuse(['--help'])
  assert.equal(code, 0)
  const commands = ['up', 'run', 'usage', 'top', 'status', 'inspect']
  for (const command of commands) assert.match(stdout, new RegExp(`^ {2}${command} `, 'm'))
  assert.doesNotMatch(stdout, /run-host/)
  const helps = await Promise.all(commands.map((command) => tokenfuse([command, '--help'])))
  for (const [index, help] of helps.entries()) {
    assert.equal(help.code, 0)
    assert.match(help.stdout, new RegExp(`Examples:\n.*tokenfuse ${commands[index]}`, 's'))
    for (const line of help.stdout.split('\n')) assert.ok(line.length <= 92, line)
  }
})

test('shells are told how to complete, and completions are the commands', async () => {
  const [script, words] = await Promise.all([
    tokenfuse(['completion', 'bash']),
    tokenfuse(['complete', '--', 'us']),
  ])
  assert.equal(script.code, 0)
  assert.match(script.stdout, /bash completion for tokenfuse/)
  assert.match(words.stdout, /^usage\t/m)
})
