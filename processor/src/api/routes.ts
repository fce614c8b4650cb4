import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import {
  contextTokens,
  type CreditAnswer,
  type CreditRequest,
  creditRequestSchema,
  type DecisionsAnswer,
  DEFAULT_TENANT,
  type DetectionsAnswer,
  type ForecastsAnswer,
  type ProfileAnswer,
  rateToWire,
  TokenfuseError,
} from '@tokenfuse/protocol'
import type { Hono } from 'hono'
import { readJson } from './body.ts'
import type { ApiContext, ApiEnv } from './context.ts'
import {
  readForecastsQuery,
  readGuard,
  readTaskCostsQuery,
  readUsageQuery,
  taskEndRequestSchema,
} from './requests.ts'
import { statusAnswer } from './status.ts'
import { firstMessages } from './stream/messages.ts'

/** Adds what agents ask and tell: stream, credit, ends of tasks. */
export function addAgentRoutes(app: Hono<ApiEnv>, context: ApiContext): void {
  const { loop, hub } = context

  app.get('/v1/stream', (c) => {
    const guard = readGuard(c.req.query('guard'))
    const { governor } = loop
    // Nothing is applied between these two, so the stream goes on where its beginning ends.
    hub.open(c.env.outgoing, guard, governor.offset, firstMessages(governor))
    return RESPONSE_ALREADY_SENT
  })

  app.post('/v1/credit', async (c) => {
    const request = await readJson(c.env.incoming, creditRequestSchema)
    await loop.submit([request.report])
    return c.json(creditAnswer(context, request))
  })

  app.post('/v1/tasks/:id/end', async (c) => {
    const request = await readJson(c.env.incoming, taskEndRequestSchema)
    const task = c.req.param('id')
    const time = new Date(context.now()).toISOString()
    const [entry] = await loop.submit([
      { type: 'task.end', v: 1, tenant: DEFAULT_TENANT, task, time, ...request },
    ])
    return c.json({ offset: entry?.offset })
  })
}

/** Adds what people ask. Their answers hold all that was acknowledged before they asked. */
export function addViewerRoutes(app: Hono<ApiEnv>, context: ApiContext): void {
  const { loop, log } = context
  const { governor } = loop
  const acknowledged = () => loop.applied(log.stats().headOffset)

  app.get('/v1/usage', async (c) => {
    const query = readUsageQuery(c.req.url, () => governor.dayAt(context.now()))
    await acknowledged()
    const answer = governor.usage(query)
    if (answer) return c.json(answer)
    throw new TokenfuseError('bad_request', `no usage is kept by ${query.by.join(' and ')}`, {
      fix: 'Ask for one dimension, for agent with task, step, model or a tag, or for provider with model.',
    })
  })

  app.get('/v1/task-costs', async (c) => {
    const { by, top } = readTaskCostsQuery(c.req.url)
    await acknowledged()
    return c.json(governor.taskCosts(by, top))
  })

  app.get('/v1/status', async (c) => {
    await acknowledged()
    return c.json(statusAnswer(context, c.req.queries('budget')))
  })

  app.get('/v1/forecasts', async (c) => {
    const query = readForecastsQuery(c.req.url)
    await acknowledged()
    const answer: ForecastsAnswer = {
      offset: governor.offset,
      logTime: governor.offset === 0 ? null : new Date(governor.logTimeMs).toISOString(),
      forecasts: governor.forecasts(query),
    }
    return c.json(answer)
  })

  app.get('/v1/detections', async (c) => {
    await acknowledged()
    const answer: DetectionsAnswer = {
      offset: governor.offset,
      detections: governor.detections(),
    }
    return c.json(answer)
  })

  app.get('/v1/agents/:name/report', async (c) => {
    const name = c.req.param('name')
    await acknowledged()
    const report = governor.agentReport(name)
    if (report) return c.json(report)
    throw new TokenfuseError('not_found', `nothing of an agent "${name}" was ever counted`, {
      fix: 'See `tokenfuse usage --by agent` for those there are.',
    })
  })

  app.get('/v1/decisions', async (c) => {
    await acknowledged()
    const answer: DecisionsAnswer = {
      offset: governor.offset,
      decisions: governor.decisions(),
    }
    return c.json(answer)
  })
}

function creditAnswer(context: ApiContext, { report, profiles }: CreditRequest): CreditAnswer {
  const { governor } = context.loop
  const { catalogue } = context.prices()
  const nowMs = context.now()
  return {
    offset: governor.offset,
    logTimeMs: governor.logTimeMs,
    sequence: report.sequence,
    accounts: governor.accounts(report.guard, report.accounts),
    profiles: profiles.map((profile): ProfileAnswer => ({
      ...profile,
      output: governor.outputQuantiles(profile),
      rate: rateToWire(catalogue.rate(profile.provider, profile.model, null, nowMs)),
      contextTokens: contextTokens(profile.provider, profile.model),
    })),
  }
}
