import type { Attribution, CallRecord } from '../../../../instrumentation/src/telemetry/index.ts'
import { encodeSpan } from '../../../../instrumentation/src/telemetry/otlp-json.ts'
import type { EncodedSpan } from '../../../../instrumentation/src/telemetry/otlp-json.ts'

export const attribution: Attribution = {
  agent: 'writer',
  task: 't-17',
  user: 'u-9',
  session: 's-4',
  tenant: 'default',
  service: 'api',
  taskType: 'draft',
  stepIndex: 3,
  stepName: null,
  difficulty: null,
  criticality: 'normal',
  tags: {},
}

/** The span id of the n-th call of a test. */
export const spanId = (n: number) => n.toString(16).padStart(16, '0')

/** A plain call, the n-th of its test. */
export function aCall(n: number, overrides: Partial<CallRecord> = {}): CallRecord {
  return {
    traceId: 'a'.repeat(32),
    spanId: spanId(n),
    parentSpanId: null,
    startTimeMs: 1_767_323_045_678,
    endTimeMs: 1_767_323_046_490,
    attribution,
    provider: 'openai',
    operation: 'chat',
    requestModel: 'gpt-4o',
    originalModel: null,
    responseModel: 'gpt-4o-2024-08-06',
    responseId: `chatcmpl-${n}`,
    serviceTier: null,
    stream: false,
    maxOutputTokens: null,
    finishReasons: ['stop'],
    parts: [],
    source: 'provider',
    systemTokens: null,
    problems: [],
    error: null,
    statusCode: 200,
    serverAddress: 'api.openai.com',
    serverPort: 443,
    toolCallKeys: [],
    toolResultKeys: [],
    verdict: null,
    decision: null,
    ...overrides,
  }
}

export const aSpan = (n: number): EncodedSpan => encodeSpan(aCall(n))
