import {
  ATTR_AGENT_NAME,
  ATTR_ERROR_TYPE,
  ATTR_OPERATION_NAME,
  ATTR_PROVIDER_NAME,
  ATTR_REQUEST_MODEL,
  ATTR_RESPONSE_MODEL,
  ATTR_SERVER_ADDRESS,
} from './attributes.ts'
import type { MetricDefinition } from './metrics.ts'

/** Which kind of content tokens stand for. Providers seldom say it, so it is `unknown` here. */
export const LABEL_TOKEN_MODALITY = 'gen_ai.token.modality'

const CALL_LABELS = [
  ATTR_OPERATION_NAME,
  ATTR_PROVIDER_NAME,
  ATTR_REQUEST_MODEL,
  ATTR_RESPONSE_MODEL,
  ATTR_AGENT_NAME,
  ATTR_SERVER_ADDRESS,
] as const

/** Past so many sets of labels, OpenTelemetry counts under `otel.metric.overflow`. */
const SERIES_LIMIT = 2000

const tokens = (name: string, help: string) => ({
  name: `gen_ai.client.inference.usage.${name}`,
  kind: 'counter' as const,
  unit: '{token}',
  help,
  labels: [...CALL_LABELS, LABEL_TOKEN_MODALITY],
  seriesLimit: SERIES_LIMIT,
})

const guard = (
  definition: Pick<MetricDefinition, 'name' | 'kind' | 'unit' | 'help'> & Partial<MetricDefinition>,
) => ({ labels: [], seriesLimit: 1, ...definition })

/**
 * What agents say of themselves, by the GenAI conventions where they have a name for it. None of it is money or a
 * budget: those are the processor's to tell, so that no sum counts twice.
 */
export const AGENT_METRICS = {
  operationDuration: {
    name: 'gen_ai.client.operation.duration',
    kind: 'histogram' as const,
    unit: 's',
    help: 'How long calls took, to the end of the answer',
    labels: [...CALL_LABELS, ATTR_ERROR_TYPE],
    seriesLimit: SERIES_LIMIT,
  },
  inputTokens: tokens('input_tokens', 'Tokens that models read, cached ones included'),
  cacheReadTokens: tokens('cache_read.input_tokens', 'Of them, those read from a cache'),
  cacheWriteTokens: tokens('cache_write.input_tokens', 'Of them, those written to a cache'),
  outputTokens: tokens('output_tokens', 'Tokens that models wrote, reasoning included'),
  reasoningTokens: tokens('reasoning.output_tokens', 'Of them, those of reasoning'),
  guardRefusals: guard({
    name: 'tokenfuse.guard.refusals',
    kind: 'counter',
    unit: '{call}',
    help: 'Calls that a guard refused',
    labels: [ATTR_AGENT_NAME],
    seriesLimit: SERIES_LIMIT,
  }),
  guardInstances: guard({
    name: 'tokenfuse.guard.instances',
    kind: 'gauge',
    unit: '{guard}',
    help: 'Guards that run: one a process or worker thread',
  }),
  guardConnections: guard({
    name: 'tokenfuse.guard.connections',
    kind: 'gauge',
    unit: '{connection}',
    help: 'Guards that hear the governor',
  }),
  guardSpansWaiting: guard({
    name: 'tokenfuse.guard.spans.waiting',
    kind: 'gauge',
    unit: '{span}',
    help: 'Spans that nobody has acknowledged yet',
  }),
  guardSpansDropped: guard({
    name: 'tokenfuse.guard.spans.dropped',
    kind: 'counter',
    unit: '{span}',
    help: 'Spans given up for want of room, or refused for good',
  }),
} satisfies Readonly<Record<string, MetricDefinition>>
