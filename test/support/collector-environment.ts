/** How an agent is told to send its spans to the Collector. */
export function collectorEnvironment({
  url,
  token,
}: {
  readonly url: string
  readonly token: string
}): Record<string, string> {
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=${encodeURIComponent(`Bearer ${token}`)}`,
  }
}
