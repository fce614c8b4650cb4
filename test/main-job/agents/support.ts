// One agent, several customers: each ticket is a task of its own, for the user who asked.
import Anthropic from '@anthropic-ai/sdk'
import { withAgent } from '@tokenfuse/instrumentation'

const HANDBOOK = Array.from(
  { length: 120 },
  (_, index) => `Rule ${index + 1}: answer politely, quote the order, and offer a refund.`,
).join('\n')

const client = new Anthropic()
for (const ticket of [4711, 4712, 4713, 4714]) {
  await withAgent({ task: `ticket-${ticket}`, user: `customer-${ticket}` }, async () => {
    const question = { role: 'user', content: `Ticket ${ticket}: where is my order?` } as const
    const request = {
      model: 'claude-sonnet-4-6',
      max_tokens: 400,
      system: [
        { type: 'text', text: HANDBOOK, cache_control: { type: 'ephemeral' } },
      ] satisfies Anthropic.TextBlockParam[],
    }
    const draft = await client.messages.create({ ...request, messages: [question] })
    const answer = { role: 'assistant', content: draft.content } as const
    const review = { role: 'user', content: 'Check this answer and write it anew.' } as const
    await client.messages
      .stream({ ...request, messages: [question, answer, review] })
      .finalMessage()
  })
}
