import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../support/processor.ts'
import { tokenfuse } from '../../support/tokenfuse-command.ts'

const CHAT = 'https://api.openai.com/v1/chat/completions'
const BODY = JSON.stringify({
  object: 'chat.completion',
  model: 'gpt-4o',
  choices: [],
  usage: { prompt_tokens: 1000, completion_tokens: 100 },
})

test('inspect reads a file or its input, needs no processor, and prints JSON or a few lines', async (t) => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'answer.json'), BODY)
  const [json, text, piped] = await Promise.all([
    tokenfuse(['inspect', 'answer.json', '--url', CHAT, '--json'], { folder }),
    tokenfuse(['inspect', 'answer.json', '--url', CHAT], { folder }),
    tokenfuse(['inspect', '-', '--url', CHAT, '--json'], { folder, input: BODY }),
  ])
  assert.equal(json.code, 0)
  assert.deepEqual(Object.keys(JSON.parse(json.stdout) as object).sort(), [
    'charges',
    'costPicoUsd',
    'label',
    'priced',
    'problems',
    'provider',
    'reason',
    'recognised',
    'responseModel',
    'source',
    'tokens',
  ])
  // 1000 x 2.50 + 100 x 10 USD per million
  assert.match(
    text.stdout,
    /^openai\.chat \u00b7 gpt-4o\n {2}input +1,000\n {2}output +100\n {2}cost +\$0\.0035 /,
  )
  assert.equal(piped.stdout, json.stdout)
})

test('what is not recognised is named, ends with 0, and has no figures', async () => {
  const input = JSON.stringify({ text: 'hello', usage: { type: 'duration', seconds: 3 } })
  const url = 'https://api.openai.com/v1/audio/transcriptions'
  const [json, text] = await Promise.all([
    tokenfuse(['inspect', '-', '--url', url, '--json'], { input }),
    tokenfuse(['inspect', '-', '--url', url], { input }),
  ])
  assert.equal(json.code, 0)
  assert.partialDeepStrictEqual(JSON.parse(json.stdout), {
    recognised: false,
    label: 'transcription',
    tokens: null,
    costPicoUsd: null,
  })
  assert.match(text.stdout, /^Not metered: transcription \(openai\)\. /)
})

test('a file that cannot be read is an error, not a stack', async () => {
  const { code, stderr } = await tokenfuse(['inspect', '/nowhere/at/all', '--url', CHAT])
  assert.equal(code, 1)
  assert.match(stderr, /^error: \/nowhere\/at\/all cannot be read: .*ENOENT.*\nfix: /)
  assert.doesNotMatch(stderr, /\n {4}at /)
})
