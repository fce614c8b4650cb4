import { readFileSync } from 'node:fs'
import { withAgent } from '@tokenfuse/instrumentation'
import OpenAI from 'openai'
import { labelOf, type ReplayPlan, type ReplayRun } from './replay-plan.ts'

// One process of the replay: makes the calls of its runs with the real client, and says `{run, call}` of each that
// was answered.

await replay(JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as ReplayPlan)

async function replay(plan: ReplayPlan): Promise<void> {
  const openai = new OpenAI({ baseURL: plan.baseUrl })
  const waiting = [...plan.runs]
  const worker = async () => {
    for (let run = waiting.shift(); run; run = waiting.shift()) await replayRun(openai, plan, run)
  }
  await Promise.all(Array.from({ length: plan.concurrency }, worker))
}

async function replayRun(
  openai: OpenAI,
  { model, streams }: ReplayPlan,
  { run, calls, from }: ReplayRun,
): Promise<void> {
  for (const [index, { agent, input, output }] of calls.entries()) {
    if (index < from) continue
    const messages = [{ role: 'user' as const, content: `Call ${index} of run ${run}.` }]
    const headers = {
      'x-stand-in-label': labelOf(run, index),
      'x-stand-in-reply': JSON.stringify({ input, output }),
    }
    await withAgent({ agent: agent ?? undefined, task: run }, async () => {
      if (!streams) return openai.chat.completions.create({ model, messages }, { headers })
      const ask = { model, messages, stream: true as const }
      for await (const _chunk of await openai.chat.completions.create(ask, { headers }));
    })
    process.stdout.write(`${JSON.stringify({ run, call: index })}\n`)
  }
}
