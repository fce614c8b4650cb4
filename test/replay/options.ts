import { isAbsolute, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { MODELS } from '../support/provider/models.ts'

export type ReplayOptions = {
  readonly file: string
  readonly model: string
  readonly streams: boolean
  /** Runs under way at once. */
  readonly concurrency: number
  /** Share of the calls after which the processor is killed; null: never. */
  readonly killAt: number | null
  readonly killAgents: boolean
  /** Through Collector and Kafka; they are killed where the processor is. */
  readonly kafka: boolean
  readonly json: boolean
}

export const USAGE =
  'npm run replay -- FILE.csv [--model gpt-4o-mini] [--streams] [--concurrency 8] [--kill-at 40%] [--kill-agents] [--kafka] [--json]'

/** @throws {Error} that says what is wrong */
export function parseOptions(args: readonly string[]): ReplayOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      model: { type: 'string', default: 'gpt-4o-mini' },
      streams: { type: 'boolean', default: false },
      concurrency: { type: 'string', default: '8' },
      'kill-at': { type: 'string' },
      'kill-agents': { type: 'boolean', default: false },
      kafka: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  const [file, ...others] = positionals
  if (file === undefined || others.length > 0) throw new Error('name one file of recorded calls')
  const concurrency = Number(values.concurrency)
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 256) {
    throw new Error(`--concurrency takes a number from 1 to 256, not ${values.concurrency}`)
  }
  return {
    // npm runs scripts at the root of the workspace; the file is meant from where the user is.
    file: isAbsolute(file) ? file : resolve(process.env['INIT_CWD'] ?? process.cwd(), file),
    model: knownModel(values.model),
    streams: values.streams,
    concurrency,
    killAt: values['kill-at'] === undefined ? null : share(values['kill-at']),
    killAgents: values['kill-agents'],
    kafka: values.kafka,
    json: values.json,
  }
}

function share(text: string): number {
  const match = /^(\d{1,3})%$/.exec(text)
  const percent = Number(match?.[1])
  if (match && percent <= 100) return percent / 100
  throw new Error(`--kill-at takes a share of the calls such as 40%, not ${text}`)
}

function knownModel(name: string): string {
  const known = MODELS.filter((model) => model.family === 'openai' && !model.embeddings)
  if (known.some((model) => model.id === name || model.aliases.includes(name))) return name
  const names = known.flatMap((model) => model.aliases).join(', ')
  throw new Error(`the stand-in has no price for the model ${name}; it knows ${names}`)
}
