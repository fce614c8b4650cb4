import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'

/** Spans of HTTP requests by `fetch`. What stands behind the `?` of an address may be a key, so it is left out. */
export function httpSpans(): UndiciInstrumentation {
  return new UndiciInstrumentation({
    startSpanHook({ origin, path }) {
      const [pathname = ''] = path.split('?', 1)
      return { 'url.full': origin + pathname, 'url.query': '' }
    },
  })
}
