import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { envDetector, serviceInstanceIdDetector } from '@opentelemetry/resources'
import { PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { NodeSDK } from '@opentelemetry/sdk-node'
import {
  ENV_METRICS_EXPORTER,
  ENV_METRICS_INTERVAL,
  ENV_OTLP_ENDPOINT,
  ENV_OTLP_METRICS_ENDPOINT,
  ENV_OTLP_TIMEOUT,
  ENV_OTLP_TRACES_ENDPOINT,
  ENV_TRACES_EXPORTER,
} from '@tokenfuse/protocol/names'
import { type PreloadExtension, NO_EXTENSION } from '../extension.ts'
import { warnOnce } from '../log.ts'
import type { Environment } from '../settings.ts'
import { AgentMetrics } from './agent-metrics.ts'
import { withinCall } from './call-context.ts'
import { httpSpans } from './http-spans.ts'

const METRICS_INTERVAL_MS = 60_000
/** What a process that ends waits for a Collector that does not answer; the exporters' own default is 10 s. */
const EXPORT_TIMEOUT_MS = 2000

/** Where every copy of @opentelemetry/api 1.x keeps what was registered. */
const OPENTELEMETRY_API = Symbol.for('opentelemetry.js.api.1')

/**
 * Sets OpenTelemetry up for an app that has none: spans of its HTTP requests, those of calls below the calls' own, and
 * metrics of calls and guard, to the Collector that the environment names. Where it cannot, it says so, and the preload
 * works without.
 */
export function startSdk(environment: Environment): PreloadExtension {
  const api = Reflect.get(globalThis, OPENTELEMETRY_API) as { trace?: unknown } | undefined
  if (api?.trace !== undefined) {
    warnOnce('sdk', `OpenTelemetry is set up already; ${USE_REGISTER}`)
    return NO_EXTENSION
  }
  const endpoints = [ENV_OTLP_ENDPOINT, ENV_OTLP_TRACES_ENDPOINT, ENV_OTLP_METRICS_ENDPOINT]
  if (endpoints.every((name) => !environment[name]?.trim())) {
    warnOnce(
      'sdk',
      `${ENV_OTLP_ENDPOINT} names no Collector for spans and metrics; ${USE_REGISTER}`,
    )
    return NO_EXTENSION
  }
  const sdk = createSdk(environment)
  sdk.start()
  // The process has nothing more to do; what is not sent yet holds it up for so long and no longer.
  process.once('beforeExit', () => void sdk.shutdown().catch(() => {}))
  const metrics = new AgentMetrics()
  return {
    sendWithin: withinCall,
    recorded: (call) => metrics.record(call),
    guardStarted: (health) => metrics.observe(health),
  }
}

const USE_REGISTER = 'calls are metered and guarded as with @tokenfuse/instrumentation/register'

function createSdk(environment: Environment): NodeSDK {
  const isWanted = (exporter: string) => environment[exporter]?.trim() !== 'none'
  const timeoutMillis = Number(environment[ENV_OTLP_TIMEOUT]) || EXPORT_TIMEOUT_MS
  const reader = () => {
    const exportIntervalMillis = Number(environment[ENV_METRICS_INTERVAL]) || METRICS_INTERVAL_MS
    return new PeriodicExportingMetricReader({
      exporter: new OTLPMetricExporter({ timeoutMillis }),
      exportIntervalMillis,
      exportTimeoutMillis: Math.min(exportIntervalMillis, timeoutMillis),
    })
  }
  return new NodeSDK({
    instrumentations: [httpSpans()],
    // Others would tell the command line, the user and the machine.
    resourceDetectors: [serviceInstanceIdDetector, envDetector],
    metricReaders: isWanted(ENV_METRICS_EXPORTER) ? [reader()] : [],
    logRecordProcessors: [],
    ...(isWanted(ENV_TRACES_EXPORTER)
      ? { traceExporter: new OTLPTraceExporter({ timeoutMillis }) }
      : { spanProcessors: [] }),
  })
}
