// An agent as anyone would write it: nothing in here knows of tokenfuse.
import OpenAI from 'openai'

const SECTIONS = [
  'lead',
  'releases',
  'events',
  'interview',
  'numbers',
  'jobs',
  'reading',
  'outlook',
]

const client = new OpenAI()
let newsletter = ''
for (const section of SECTIONS) {
  const completion = await client.chat.completions.create({
    model: 'gpt-4o-mini',
    messages: [
      { role: 'system', content: 'You write a weekly newsletter for engineers.' },
      { role: 'user', content: `So far:\n${newsletter}\n\nWrite the section "${section}".` },
    ],
  })
  newsletter += `${completion.choices[0]?.message.content}\n\n`
}
