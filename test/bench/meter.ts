import { decodeTraces } from '../../processor/src/meter/index.ts'
import { requestType, toProtobuf } from '../processor/meter/otlp.ts'
import { callsRequest } from '../support/spans.ts'
import { ratePerSecond } from './measure.ts'
import { atLeast, type Bench, type BenchResult } from './result.ts'

const SPANS = 100
const REQUESTS_A_ROUND = 200
const ROUNDS = 7
const EXTRA_ATTRIBUTES = 12
const PROMPT_BYTES = 2048

/** Decoded spans a second beside protobufjs, with and without a prompt in each span. */
export const meterDecode: Bench = {
  names: ['meter.decode', 'meter.decode.prompts'],
  run: () =>
    Promise.resolve([measure('meter.decode', false), measure('meter.decode.prompts', true)]),
}

function measure(name: string, withPrompts: boolean): BenchResult {
  const body = toProtobuf(callsRequest(SPANS, attributes(withPrompts)))
  const operations = SPANS * REQUESTS_A_ROUND
  const reference = requestType
  const repeat = (decode: () => unknown) => () => {
    for (let request = 0; request < REQUESTS_A_ROUND; request++) decode()
  }
  const theirs = ratePerSecond(
    operations,
    ROUNDS,
    repeat(() => reference.decode(body)),
  )
  const ours = ratePerSecond(
    operations,
    ROUNDS,
    repeat(() => decodeTraces(body, 'protobuf')),
  )
  const baseline = { name: 'protobufjs, spans/s', value: theirs }
  const count = operations * ROUNDS
  const measured = atLeast(300_000, { name, unit: 'spans/s', value: ours, count, baseline })
  const isFaster = ours >= theirs * 5
  return { ...measured, target: '>= 300000, ratio >= 5', pass: measured.pass === true && isFaster }
}

/** As many attributes as spans of instrumentations carry, of which the meter reads a part. */
function attributes(withPrompts: boolean): Record<string, unknown> {
  const extra = Array.from({ length: EXTRA_ATTRIBUTES }, (_, index) => [
    `app.attribute.${index}`,
    index % 2 === 0 ? `value ${index}` : index,
  ])
  const prompt = withPrompts ? [['gen_ai.input.messages', 'x'.repeat(PROMPT_BYTES)]] : []
  return Object.fromEntries([...extra, ...prompt]) as Record<string, unknown>
}
