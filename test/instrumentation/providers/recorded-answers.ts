import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Dialect } from '../../../instrumentation/src/providers/index.ts'
import { loadRecording, type RecordedResponse } from '../../support/recordings.ts'
import { sharedPath } from '../../support/shared.ts'
import type { NormalForm } from './normal-forms.ts'

/** Every recorded answer of a provider with what must be read from it; none where the recordings are missing. */
export function* answers(
  t: TestContext,
  provider: string,
  forms: Readonly<Record<string, readonly NormalForm[]>>,
): Generator<{ answer: RecordedResponse; expected: NormalForm }> {
  const folder = sharedPath(t, `fixtures/providers/${provider}`)
  if (!folder) return
  for (const [name, expectations] of Object.entries(forms)) {
    const recorded = loadRecording(join(folder, name))
    assert.equal(recorded.length, expectations.length, name)
    for (const [index, expected] of expectations.entries()) {
      const answer = recorded[index]
      assert.ok(answer)
      yield { answer, expected }
    }
  }
}

/** The address that a recording was made at is not in it; what kind it was is plain from its content. */
export function dialectOf(provider: string, { name, body }: RecordedResponse): Dialect {
  if (provider === 'anthropic') return 'anthropic.messages'
  if (name.startsWith('openai-completion')) return 'openai.completions'
  if (name.startsWith('openai-embedding')) return 'openai.embeddings'
  const isChat = body.includes('"chat.completion') || body.includes('"prompt_filter_results"')
  return isChat ? 'openai.chat' : 'openai.responses'
}
