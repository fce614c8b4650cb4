import Anthropic from '@anthropic-ai/sdk'
import { withAgent } from '@tokenfuse/instrumentation'
import OpenAI from 'openai'
import { seededRandom } from '../../support/random.ts'
import type { InFlight } from '../../support/provider/client.ts'
import type { Asked, CallContext } from './asked.ts'
import { labelOf, planLoad } from './scenarios.ts'

// One agent of the load, as a process of its own with the preload. It prints what went otherwise than its scenarios
// say, as JSON: `{"calls", "problems"}`.

export type AgentPlan = {
  readonly agent: string
  readonly seed: number
  readonly calls: number
  readonly concurrency: number
  /** The stand-in, the same at a host of another name, and one that refuses to be asked for usage. */
  readonly urls: { readonly usual: string; readonly quiet: string; readonly strict: string }
}

const CALL_TIMEOUT_MS = 60_000
const TOPICS = ['rivers', 'bridges', 'clouds', 'gardens', 'engines', 'letters', 'markets', 'tides']

const plan = JSON.parse(process.argv[2] ?? '') as AgentPlan
const random = seededRandom(plan.seed)
const clients = {
  openai: new OpenAI({ baseURL: `${plan.urls.usual}/v1` }),
  anthropic: new Anthropic({ baseURL: plan.urls.usual }),
  quietOpenai: new OpenAI({ baseURL: `${plan.urls.quiet}/v1` }),
  strictOpenai: new OpenAI({ baseURL: `${plan.urls.strict}/v1` }),
}
const problems: string[] = []
const load = planLoad(plan.calls, random)

async function makeCall(index: number): Promise<void> {
  const scenario = load[index]
  if (!scenario) return
  const label = labelOf(plan.agent, scenario, index)
  const topic = TOPICS[Math.floor(random() * TOPICS.length)] ?? ''
  const context: CallContext = {
    ...clients,
    subject: `${topic} of the ${Math.floor(random() * 1000)}th kind, told by ${plan.agent}`,
    asking: (asked = {}) => ({ headers: headersFor(label, asked) }),
    arrived: () => arrived(label),
  }
  const identity = { agent: plan.agent, task: `t-${index % 25}`, tags: { call: label } }
  try {
    await inTime(withAgent(identity, () => scenario.run(context)))
  } catch (error) {
    problems.push(`${label}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function headersFor(label: string, { fault, reply, config }: Asked): Record<string, string> {
  return {
    'x-stand-in-label': label,
    ...(fault === undefined ? {} : { 'x-stand-in-fault': fault }),
    ...(reply === undefined ? {} : { 'x-stand-in-reply': JSON.stringify(reply) }),
    ...(config === undefined ? {} : { 'x-stand-in-config': JSON.stringify(config) }),
  }
}

async function arrived(label: string): Promise<void> {
  for (;;) {
    const response = await fetch(`${plan.urls.usual}/_inflight`)
    const calls = (await response.json()) as InFlight[]
    if (calls.some((call) => call.label === label)) return
  }
}

async function inTime(call: Promise<void>): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error('took over a minute')), CALL_TIMEOUT_MS)
  try {
    await Promise.race([call, promise])
  } finally {
    clearTimeout(timer)
  }
}

let next = 0
await Promise.all(
  Array.from({ length: plan.concurrency }, async () => {
    while (next < load.length) await makeCall(next++)
  }),
)
process.stdout.write(`${JSON.stringify({ calls: load.length, problems })}\n`)
