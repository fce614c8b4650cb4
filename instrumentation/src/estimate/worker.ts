import { parentPort } from 'node:worker_threads'
import type { CountAnswer, CountRequest } from './messages.ts'
import { countTokens, loadEncoder } from './tokenizer.ts'

// Counting is slow and takes much memory, so it has a thread of its own. One request at a time; whoever asks may end
// the thread at any moment.
parentPort?.on('message', (request: CountRequest) => {
  void answer(request)
})

async function answer({ id, encoding, input, output }: CountRequest): Promise<void> {
  const encoder = await loadEncoder(encoding)
  tell({ id, type: 'counting' })
  const count = (text: string) => countTokens(encoder, text)
  tell({
    id,
    type: 'counted',
    input: input.reduce((sum, text) => sum + count(text), 0),
    output: count(output),
  })
}

function tell(answer: CountAnswer): void {
  parentPort?.postMessage(answer)
}
