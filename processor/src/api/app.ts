import { TokenfuseError } from '@tokenfuse/protocol'
import { Hono } from 'hono'
import { renderMetrics } from '../metrics/render.ts'
import { TokenCheck } from './auth.ts'
import type { ApiContext, ApiEnv } from './context.ts'
import { httpFailure, jsonFailure } from './errors.ts'
import { OtlpReceiver, type Signal } from './otlp/receiver.ts'
import { addOperatorRoutes } from './operator-routes.ts'
import { addAgentRoutes, addViewerRoutes } from './routes.ts'

const SIGNALS: readonly Signal[] = ['traces', 'metrics', 'logs']

/** The control API and the OTLP receiver. Everything but the two probes needs the token. */
export function createApp(context: ApiContext, report: (error: unknown) => void): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>()
  const tokens = new TokenCheck(context.token)
  const receiver = new OtlpReceiver(context, report)
  const requireReady = () => {
    if (!context.isReady()) throw new TokenfuseError('not_ready', 'the log is still being read')
  }

  app.get('/livez', (c) => c.text('ok'))
  app.get('/readyz', (c) => {
    requireReady()
    return c.text('ok')
  })

  // Senders of OTLP expect answers in its own form, also those that say no.
  for (const signal of SIGNALS) {
    app.post(`/v1/${signal}`, (c) =>
      receiver.handle(signal, c.env.incoming, () => {
        tokens.require(c.req.header('authorization'))
        requireReady()
      }),
    )
  }

  app.use('*', async (c, next) => {
    tokens.require(c.req.header('authorization'))
    requireReady()
    await next()
  })
  app.get('/metrics', (c) => {
    const headers = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }
    return c.body(renderMetrics(context.metrics, context), 200, headers)
  })
  addAgentRoutes(app, context)
  addViewerRoutes(app, context)
  addOperatorRoutes(app, context)
  app.notFound((c) => {
    const error = new TokenfuseError('not_found', `there is no ${c.req.method} ${c.req.path}`)
    return jsonFailure(httpFailure(error))
  })
  app.onError((error) => {
    const failure = httpFailure(error)
    if (failure.code === 'internal') report(error)
    return jsonFailure(failure)
  })
  return app
}
