// Two questions at a time, over the Responses API.
import OpenAI from 'openai'

const MARKETS = ['Berlin', 'Lisbon', 'Nairobi', 'Osaka', 'Toronto']

const client = new OpenAI()
for (const market of MARKETS) {
  await Promise.all(
    ['prices', 'competitors'].map((subject) =>
      client.responses.create({
        model: 'gpt-4o',
        instructions: 'You are a careful market researcher. Name your sources.',
        input: `What is known about ${subject} of electric bicycles in ${market}?`,
      }),
    ),
  )
}
