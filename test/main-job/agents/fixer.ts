// The one that goes wrong: the test stays red, so it reads the whole log again and tries once more.
import { setTimeout as wait } from 'node:timers/promises'
import OpenAI from 'openai'

const MAX_TURNS = 100
/** About 48,000 tokens. */
const LOG = Array.from(
  { length: 2250 },
  (_, index) => `[build ${index}] test/cart.test.ts: expected total 1299 to equal 1298`,
).join('\n')

const client = new OpenAI()
for (let turn = 1; turn <= MAX_TURNS; turn++) {
  try {
    const stream = await client.chat.completions.create({
      model: 'o1-2024-12-17',
      stream: true,
      messages: [
        { role: 'developer', content: `Attempt ${turn}: make the failing test pass.` },
        { role: 'user', content: LOG },
      ],
    })
    for await (const _ of stream);
  } catch (error) {
    if (!(error instanceof OpenAI.APIError)) throw error
    console.log(`${error.constructor.name}: ${error.message}`)
    process.exitCode = 1
    break
  }
  await runTests()
}

/** They fail, again. */
async function runTests(): Promise<void> {
  await wait(300)
}
