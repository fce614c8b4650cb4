import { randomBytes } from 'node:crypto'
import { otlpRequest, otlpSpan, type OtlpRequest, type OtlpSpan } from '../processor/meter/otlp.ts'

/** A span of a gpt-4o-mini call of 100 + 10 tokens (15 + 6 micro-USD) that has just ended; each has ids of its own. */
export function callSpan(values: Readonly<Record<string, unknown>> = {}): OtlpSpan {
  const endMs = Date.now()
  return otlpSpan(
    {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-4o-mini',
      'gen_ai.agent.name': 'writer',
      'tokenfuse.task.id': 't-1',
      'gen_ai.usage.input_tokens': 100,
      'gen_ai.usage.output_tokens': 10,
      ...values,
    },
    {
      traceId: randomBytes(16).toString('hex'),
      spanId: randomBytes(8).toString('hex'),
      startTimeUnixNano: `${endMs - 100}000000`,
      endTimeUnixNano: `${endMs}000000`,
    },
  )
}

/** An export request of so many calls. */
export function callsRequest(
  count: number,
  values: Readonly<Record<string, unknown>> = {},
): OtlpRequest {
  return otlpRequest(Array.from({ length: count }, () => callSpan(values)))
}
