export type MetricKind = 'counter' | 'gauge' | 'histogram'

/** One metric, declared once: emitters, dashboards and alerts import it from here. */
export type MetricDefinition = {
  /** OpenTelemetry name; in Prometheus dots become underscores and counters end in `_total`. */
  readonly name: string
  readonly kind: MetricKind
  readonly unit: string
  readonly help: string
  /** Users, tasks and sessions are never labels. */
  readonly labels: readonly string[]
  /** How many label sets it may have; beyond that a value is counted under the label value `other`. */
  readonly seriesLimit: number
}

const metric = <const Definition extends MetricDefinition>(definition: Definition) => definition

/** Metrics of the processor, by the name under which code refers to them. */
export const METRICS = {
  usageEvents: metric({
    name: 'tokenfuse.usage.events',
    kind: 'counter',
    unit: '{event}',
    help: 'Usage events counted',
    labels: ['agent', 'provider', 'model', 'source'],
    seriesLimit: 5000,
  }),
  tokens: metric({
    name: 'tokenfuse.tokens',
    kind: 'counter',
    unit: '{token}',
    help: 'Tokens counted, by kind',
    labels: ['agent', 'provider', 'model', 'kind'],
    seriesLimit: 10_000,
  }),
  costUsd: metric({
    name: 'tokenfuse.cost',
    kind: 'counter',
    unit: 'USD',
    help: 'Cost counted',
    labels: ['agent', 'provider', 'model'],
    seriesLimit: 5000,
  }),
  unpricedEvents: metric({
    name: 'tokenfuse.usage.unpriced.events',
    kind: 'counter',
    unit: '{event}',
    help: 'Usage events priced by family or ceiling for want of a price',
    labels: ['model', 'priced'],
    seriesLimit: 1000,
  }),
  duplicateEvents: metric({
    name: 'tokenfuse.usage.duplicate.events',
    kind: 'counter',
    unit: '{event}',
    help: 'Usage events seen before and not counted again',
    labels: [],
    seriesLimit: 1,
  }),
  improvedEvents: metric({
    name: 'tokenfuse.usage.improved.events',
    kind: 'counter',
    unit: '{event}',
    help: 'Usage events that replaced an estimate by the difference; sums of tokens and cost here keep the estimate',
    labels: [],
    seriesLimit: 1,
  }),
  deadLetters: metric({
    name: 'tokenfuse.dead_letters',
    kind: 'counter',
    unit: '{letter}',
    help: 'Input kept aside because it could not be counted',
    labels: ['code'],
    seriesLimit: 50,
  }),
  otlpRequests: metric({
    name: 'tokenfuse.otlp.requests',
    kind: 'counter',
    unit: '{request}',
    help: 'OTLP requests by signal and by what became of them: accepted, or the code of an error',
    labels: ['signal', 'outcome'],
    seriesLimit: 50,
  }),
  spansReceived: metric({
    name: 'tokenfuse.spans.received',
    kind: 'counter',
    unit: '{span}',
    help: 'Spans received',
    labels: [],
    seriesLimit: 1,
  }),
  spansIgnored: metric({
    name: 'tokenfuse.spans.ignored',
    kind: 'counter',
    unit: '{span}',
    help: 'Spans that are no model call, or whose calls are reported already',
    labels: ['reason'],
    seriesLimit: 10,
  }),
  shortenedValues: metric({
    name: 'tokenfuse.spans.shortened',
    kind: 'counter',
    unit: '{value}',
    help: 'Names, tags and tool keys of spans that were cut down to their bounds',
    labels: ['field'],
    seriesLimit: 10,
  }),
  decisions: metric({
    name: 'tokenfuse.decisions',
    kind: 'counter',
    unit: '{decision}',
    help: 'Decisions made',
    labels: ['budget', 'action'],
    seriesLimit: 5000,
  }),
  notifications: metric({
    name: 'tokenfuse.notifications',
    kind: 'counter',
    unit: '{notification}',
    help: 'Attempts to tell people by webhook: sent, failed (tried again), rejected (given up); dropped without',
    labels: ['outcome'],
    seriesLimit: 10,
  }),
  decisionLag: metric({
    name: 'tokenfuse.decision.lag',
    kind: 'histogram',
    unit: 's',
    help: 'From the end of a call to its being counted',
    labels: [],
    seriesLimit: 1,
  }),
  budgetSpentRatio: metric({
    name: 'tokenfuse.budget.spent.ratio',
    kind: 'gauge',
    unit: '1',
    help: 'Spent share of the limit, highest scope of the budget',
    labels: ['budget'],
    seriesLimit: 1000,
  }),
  forecastRatio: metric({
    name: 'tokenfuse.budget.forecast.ratio',
    kind: 'gauge',
    unit: '1',
    help: 'What the window is forecast to come to, in limits; highest scope of the budget among the fullest 50 of all',
    labels: ['budget'],
    seriesLimit: 1000,
  }),
  breachProbability: metric({
    name: 'tokenfuse.budget.breach.probability',
    kind: 'gauge',
    unit: '1',
    help: 'That the window comes to more than the limit; highest scope of the budget among the fullest 50 of all',
    labels: ['budget'],
    seriesLimit: 1000,
  }),
  forecastError: metric({
    name: 'tokenfuse.forecast.error.ratio',
    kind: 'gauge',
    unit: '1',
    help: 'Mean distance of forecasts at the middle of past windows from what came, in mean windows',
    labels: ['budget'],
    seriesLimit: 1000,
  }),
  forecastCoverage: metric({
    name: 'tokenfuse.forecast.coverage.ratio',
    kind: 'gauge',
    unit: '1',
    help: 'Share of past windows that ended inside the 80 % interval forecast at their middle',
    labels: ['budget'],
    seriesLimit: 1000,
  }),
  detections: metric({
    name: 'tokenfuse.detections',
    kind: 'counter',
    unit: '{detection}',
    help: 'Runaways and spikes that were detected or reached a higher level',
    labels: ['kind', 'level'],
    seriesLimit: 20,
  }),
  openDetections: metric({
    name: 'tokenfuse.detections.open',
    kind: 'gauge',
    unit: '{detection}',
    help: 'Runaways and spikes that are not over, by the highest level they reached',
    labels: ['kind', 'level'],
    seriesLimit: 20,
  }),
  evictions: metric({
    name: 'tokenfuse.state.evictions',
    kind: 'counter',
    unit: '{entry}',
    help: 'Entries that left a bounded table',
    labels: ['table'],
    seriesLimit: 50,
  }),
  agentDroppedSpans: metric({
    name: 'tokenfuse.agent.dropped.spans',
    kind: 'counter',
    unit: '{span}',
    help: 'Spans that agents had to drop, as they reported',
    labels: [],
    seriesLimit: 1,
  }),
  streams: metric({
    name: 'tokenfuse.streams',
    kind: 'gauge',
    unit: '{stream}',
    help: 'Guards connected',
    labels: [],
    seriesLimit: 1,
  }),
  logOffset: metric({
    name: 'tokenfuse.log.offset',
    kind: 'gauge',
    unit: '{event}',
    help: 'Offset of the newest event applied',
    labels: [],
    seriesLimit: 1,
  }),
} as const

export type MetricName = keyof typeof METRICS

/** The name under which Prometheus knows a metric. */
export function prometheusName({ name, kind, unit }: MetricDefinition): string {
  const base = name.replaceAll('.', '_')
  const suffix = unit === 's' ? '_seconds' : unit === 'USD' ? '_usd' : ''
  return `${base}${suffix}${kind === 'counter' ? '_total' : ''}`
}
