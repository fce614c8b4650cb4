import type { IncomingMessage } from 'node:http'
import { type BudgetChangeAnswer, budgetSchema, isRunBudget } from '@tokenfuse/protocol'
import type { Hono } from 'hono'
import { z } from 'zod'
import {
  withBudget,
  withBudgetFields,
  withoutBudget,
  type WrittenBudget,
} from '../policy/edit-policy.ts'
import { readJson } from './body.ts'
import { budgetOf, budgetsAnswer } from './budgets.ts'
import type { ApiContext, ApiEnv } from './context.ts'
import { explain } from './explain.ts'
import { lift, liftRequestSchema } from './lift.ts'
import { override, overrideRequestSchema } from './overrides.ts'
import { parse } from './requests.ts'

/** A budget as the policy file has it; what it says is checked with the whole file. */
const writtenBudgetSchema = z.record(z.string(), z.unknown())

/** Adds what operators change, and the explanation of what was decided. */
export function addOperatorRoutes(app: Hono<ApiEnv>, context: ApiContext): void {
  app.get('/v1/budgets', (c) => c.json(budgetsAnswer(context)))

  app.get('/v1/budgets/:id', (c) => c.json(budgetOf(context, c.req.param('id'))))

  app.put('/v1/budgets/:id', async (c) => {
    const budget = await writtenBudget(c.env.incoming, c.req.param('id'))
    const policyVersion = isRunBudget(budget.id)
      ? await context.setRunBudget(budget.id, parse(budgetSchema, budget))
      : await context.editPolicy(
          (text) => withBudget(text, budget),
          basedOn(c.req.header('if-match')),
        )
    return c.json({ policyVersion } satisfies BudgetChangeAnswer)
  })

  app.patch('/v1/budgets/:id', async (c) => {
    const fields = await writtenBudget(c.env.incoming, c.req.param('id'))
    const policyVersion = await context.editPolicy(
      (text) => withBudgetFields(text, fields),
      basedOn(c.req.header('if-match')),
    )
    return c.json({ policyVersion } satisfies BudgetChangeAnswer)
  })

  app.delete('/v1/budgets/:id', async (c) => {
    const id = c.req.param('id')
    const policyVersion = isRunBudget(id)
      ? await context.setRunBudget(id, null)
      : await context.editPolicy(
          (text) => withoutBudget(text, id),
          basedOn(c.req.header('if-match')),
        )
    return c.json({ policyVersion } satisfies BudgetChangeAnswer)
  })

  app.post('/v1/overrides', async (c) => {
    const request = await readJson(c.env.incoming, overrideRequestSchema)
    return c.json(await override(context, request))
  })

  app.post('/v1/decisions/:id/lift', async (c) => {
    const request = await readJson(c.env.incoming, liftRequestSchema)
    return c.json(await lift(context, c.req.param('id'), request))
  })

  app.get('/v1/decisions/:id', async (c) => c.json(await explain(context, c.req.param('id'))))
}

async function writtenBudget(incoming: IncomingMessage, id: string): Promise<WrittenBudget> {
  return { ...(await readJson(incoming, writtenBudgetSchema)), id }
}

function basedOn(ifMatch: string | undefined): number | null {
  const version = Number(ifMatch?.replaceAll('"', ''))
  return ifMatch === undefined || !Number.isInteger(version) ? null : version
}
