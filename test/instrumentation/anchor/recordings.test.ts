import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { createGzip } from 'node:zlib'
import type { UsagePart } from '@tokenfuse/protocol'
import { startFakeProcessor } from '../../support/preload/fake-processor.ts'
import { startLlmServer } from '../../support/preload/llm-server.ts'
import { runApp } from '../../support/preload/run-app.ts'
import { cutRandomly, seededRandom } from '../../support/random.ts'
import type { RecordedResponse } from '../../support/recordings.ts'
import { ANTHROPIC_FORMS, type NormalForm, OPENAI_FORMS } from '../providers/normal-forms.ts'
import { answers, dialectOf } from '../providers/recorded-answers.ts'

const PATHS = {
  'openai.chat': '/v1/chat/completions',
  'openai.responses': '/v1/responses',
  'openai.completions': '/v1/completions',
  'openai.embeddings': '/v1/embeddings',
  'anthropic.messages': '/v1/messages',
} as const

/** Asks for each answer in turn, and says of each what its bytes were. */
const APP = `
  import { createHash } from 'node:crypto'
  const [url, ...paths] = process.argv.slice(2)
  const digests = []
  for (const [index, path] of paths.entries()) {
    const body = JSON.stringify({ model: 'answer-' + index, stream: true, stream_options: { include_usage: true } })
    const response = await fetch(url + path, { method: 'POST', body })
    const hash = createHash('sha256')
    for await (const chunk of response.body) hash.update(chunk)
    digests.push(hash.digest('hex'))
  }
  console.log(JSON.stringify(digests))
`

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

async function sendCut(
  response: ServerResponse,
  answer: RecordedResponse,
  encoding: 'identity' | 'gzip',
  random: () => number,
): Promise<void> {
  response.writeHead(200, { 'content-type': answer.contentType, 'content-encoding': encoding })
  const gzip = encoding === 'gzip' ? createGzip() : null
  gzip?.pipe(response)
  const target = gzip ?? response
  for (const piece of cutRandomly(answer.body, random)) {
    if (!target.write(piece)) await once(target, 'drain')
  }
  target.end()
}

function tokensOf(parts: readonly UsagePart[], kind: 'input' | 'output'): number | undefined {
  const counts = parts.flatMap(({ tokens }) => tokens[kind] ?? [])
  return counts.length === 0 ? undefined : counts.reduce((sum, count) => sum + count, 0)
}

for (const encoding of ['identity', 'gzip'] as const) {
  test(`every recorded answer is metered as written by hand and reaches the app byte for byte, sent as ${encoding}`, async (t) => {
    const recorded: { answer: RecordedResponse; expected: NormalForm; path: string }[] = []
    for (const [provider, forms] of [
      ['openai', OPENAI_FORMS],
      ['anthropic', ANTHROPIC_FORMS],
    ] as const) {
      for (const { answer, expected } of answers(t, provider, forms)) {
        recorded.push({ answer, expected, path: PATHS[dialectOf(provider, answer)] })
      }
    }
    if (recorded.length === 0) return
    const random = seededRandom(7)
    const server = await startLlmServer(t, async ({ body }, response) => {
      const { model } = JSON.parse(body) as { model: string }
      const answer = recorded[Number(model.slice('answer-'.length))]?.answer
      assert.ok(answer)
      await sendCut(response, answer, encoding, random)
    })
    const processor = await startFakeProcessor(t)
    const app = await runApp(t, APP, {
      args: [server.url, ...recorded.map(({ path }) => path)],
      env: { TOKENFUSE_URL: processor.url, TOKENFUSE_HOSTS: server.hosts },
    })
    assert.equal(app.code, 0, app.stderr)
    const digests = JSON.parse(app.stdout) as string[]
    assert.deepEqual(
      digests,
      recorded.map(({ answer }) => sha256(answer.body)),
    )
    const spans = await processor.waitForSpans(recorded.length)
    const byModel = new Map(spans.map((span) => [span.attributes['gen_ai.request.model'], span]))
    for (const [index, { answer, expected }] of recorded.entries()) {
      const attributes = byModel.get(`answer-${index}`)?.attributes ?? {}
      assert.equal(attributes['gen_ai.response.model'], expected.model ?? undefined, answer.name)
      // Where the answer tells no usage at all, what is said of it is an estimate, and labelled.
      const source = expected.source ?? 'estimate'
      assert.equal(attributes['tokenfuse.usage.source'], source, answer.name)
      if (expected.source !== 'provider') continue
      for (const kind of ['input', 'output'] as const) {
        const found = attributes[`gen_ai.usage.${kind}_tokens`]
        assert.equal(found, tokensOf(expected.parts, kind), `${answer.name}: ${kind}`)
      }
    }
  })
}
