import {
  type MetricDefinition,
  METRICS,
  type MetricName,
  prometheusName,
  usdFromPicoUsd,
} from '@tokenfuse/protocol'

/** For what takes seconds or parts of one. */
const BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

type Histogram = { counts: number[]; sum: number }
type Series<Value> = { readonly labels: string; value: Value }

/**
 * The processor's metrics in Prometheus' text format. A metric holds as many label sets as its definition says; what
 * comes beyond them is counted under the value `other`, so that sums still hold.
 */
export class MetricRegistry {
  readonly #amounts = new Map<MetricName, Map<string, Series<number | bigint>>>()
  readonly #histograms = new Map<MetricName, Map<string, Series<Histogram>>>()

  /** Adds to a counter. `labels` in the order of the definition; a `bigint` is pico-USD, for a metric in USD. */
  add(name: MetricName, labels: readonly string[], amount: number | bigint): void {
    const zero = typeof amount === 'bigint' ? 0n : 0
    const series = findSeries(this.#amounts, name, labels, () => zero)
    if (typeof amount === 'bigint') series.value = BigInt(series.value) + amount
    else series.value = Number(series.value) + amount
  }

  /** Sets a gauge. */
  set(name: MetricName, labels: readonly string[], value: number): void {
    findSeries(this.#amounts, name, labels, () => 0).value = value
  }

  /** A counter's sum over its label sets. */
  total(name: MetricName): number | bigint {
    const values = [...(this.#amounts.get(name)?.values() ?? [])].map(({ value }) => value)
    if (values.some((value) => typeof value === 'bigint')) {
      return values.reduce<bigint>((sum, value) => sum + BigInt(value), 0n)
    }
    return values.reduce<number>((sum, value) => sum + Number(value), 0)
  }

  /** Forgets every label set of a gauge, before it is set anew. */
  clear(name: MetricName): void {
    this.#amounts.delete(name)
  }

  /** Adds one observation, in seconds, to a histogram. */
  observe(name: MetricName, labels: readonly string[], seconds: number): void {
    const { value } = findSeries(this.#histograms, name, labels, emptyHistogram)
    const bucket = BUCKETS_S.findIndex((upper) => seconds <= upper)
    const index = bucket === -1 ? BUCKETS_S.length : bucket
    value.counts[index] = (value.counts[index] ?? 0) + 1
    value.sum += seconds
  }

  /** All metrics that have a value, as `text/plain; version=0.0.4`. */
  render(): string {
    const lines: string[] = []
    for (const name of Object.keys(METRICS) as MetricName[]) {
      const samples = [...this.#amountLines(name), ...this.#histogramLines(name)]
      if (samples.length === 0) continue
      const definition: MetricDefinition = METRICS[name]
      const exported = prometheusName(definition)
      lines.push(`# HELP ${exported} ${definition.help}`, `# TYPE ${exported} ${definition.kind}`)
      lines.push(...samples)
    }
    return `${lines.join('\n')}\n`
  }

  *#amountLines(name: MetricName): Generator<string> {
    for (const { labels, value } of this.#amounts.get(name)?.values() ?? []) {
      const text = typeof value === 'bigint' ? usdFromPicoUsd(value) : String(value)
      yield `${prometheusName(METRICS[name])}${braces(labels)} ${text}`
    }
  }

  *#histogramLines(name: MetricName): Generator<string> {
    const exported = prometheusName(METRICS[name])
    for (const { labels, value } of this.#histograms.get(name)?.values() ?? []) {
      let count = 0
      for (const [index, upper] of [...BUCKETS_S, '+Inf'].entries()) {
        count += value.counts[index] ?? 0
        const bucketLabels = [labels, `le="${upper}"`].filter((label) => label !== '').join(',')
        yield `${exported}_bucket${braces(bucketLabels)} ${count}`
      }
      yield `${exported}_sum${braces(labels)} ${value.sum}`
      yield `${exported}_count${braces(labels)} ${count}`
    }
  }
}

function findSeries<Value>(
  metrics: Map<MetricName, Map<string, Series<Value>>>,
  name: MetricName,
  labels: readonly string[],
  initial: () => Value,
): Series<Value> {
  const definition: MetricDefinition = METRICS[name]
  let all = metrics.get(name)
  if (!all) metrics.set(name, (all = new Map()))
  const text = labelText(definition.labels, labels)
  const known = all.get(text)
  if (known) return known
  const others = definition.labels.map(() => 'other')
  // One place is kept for `other`, so that the limit holds with it.
  const full = definition.labels.length > 0 && all.size >= definition.seriesLimit - 1
  const key = full ? labelText(definition.labels, others) : text
  let series = all.get(key)
  if (!series) all.set(key, (series = { labels: key, value: initial() }))
  return series
}

function labelText(names: readonly string[], values: readonly string[]): string {
  return names.map((name, index) => `${name}="${escape(values[index] ?? '')}"`).join(',')
}

const escape = (value: string) =>
  value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')

const braces = (labels: string) => (labels === '' ? '' : `{${labels}}`)

const emptyHistogram = (): Histogram => ({
  counts: Array.from({ length: BUCKETS_S.length + 1 }, () => 0),
  sum: 0,
})
