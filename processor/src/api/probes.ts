import { TokenfuseError } from '@tokenfuse/protocol'
import { Hono } from 'hono'
import type { MetricRegistry } from '../metrics/registry.ts'
import type { ApiEnv } from './context.ts'
import { httpFailure, jsonFailure } from './errors.ts'

/** What a process without a governor answers: whether it lives, whether it works, and its metrics. */
export function createProbes(metrics: MetricRegistry, isReady: () => boolean): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>()
  app.get('/livez', (c) => c.text('ok'))
  app.get('/readyz', (c) => {
    if (!isReady()) throw new TokenfuseError('not_ready', 'Kafka, prices or spans are waited for')
    return c.text('ok')
  })
  app.get('/metrics', (c) => {
    const headers = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }
    return c.body(metrics.render(), 200, headers)
  })
  app.onError((error) => jsonFailure(httpFailure(error)))
  return app
}
