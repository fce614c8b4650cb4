import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import {
  amountSchema,
  type BudgetChangeAnswer,
  budgetSchema,
  type BudgetsAnswer,
  DEFAULT_TENANT,
  type OverrideAnswer,
  isRunBudget,
  parseAmount,
  picoUsdFromUsd,
  TokenfuseError,
} from '@tokenfuse/protocol'
import type { Hono } from 'hono'
import { z } from 'zod'
import {
  withBudget,
  withBudgetFields,
  withoutBudget,
  type WrittenBudget,
} from '../policy/edit-policy.ts'
import { readJson } from './body.ts'
import type { ApiContext, ApiEnv } from './context.ts'
import { explain } from './explain.ts'
import { parse } from './requests.ts'

/** A budget as the policy file has it; what it says is checked with the whole file. */
const writtenBudgetSchema = z.record(z.string(), z.unknown())

const overrideRequestSchema = z.object({
  budget: z.string().min(1),
  scope: z.string().min(1).default('*'),
  /** Such as `5usd` or `200ktok`, or a whole number in the budget's unit. */
  add: z.string().min(1),
  reason: z.string().min(1).max(1024),
  by: z.string().min(1).max(256),
  until: z.iso.datetime().nullable().default(null),
})

/** Adds what operators change, and the explanation of what was decided. */
export function addOperatorRoutes(app: Hono<ApiEnv>, context: ApiContext): void {
  const { loop } = context
  const { governor } = loop

  app.get('/v1/budgets', (c) => c.json(budgetsAnswer(context)))

  app.get('/v1/budgets/:id', (c) => {
    const id = c.req.param('id')
    const budget = budgetsAnswer(context).budgets.find((candidate) => candidate.id === id)
    if (!budget) throw noBudget(id)
    return c.json(budget)
  })

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
    const add = addedAmount(context, request.budget, request.add)
    const id = `o-${randomUUID()}`
    const { budget, scope, reason, by, until } = request
    const tenant = DEFAULT_TENANT
    const [entry] = await loop.submit([
      { type: 'override.set', v: 1, tenant, id, budget, scope, add, reason, by, until },
    ])
    const status = governor
      .budgets()
      .find((candidate) => candidate.budget === budget && candidate.scope === scope)
    const answer: OverrideAnswer = {
      id,
      offset: entry?.offset ?? 0,
      budget,
      scope,
      limit: status?.limit ?? add,
      until: until ?? status?.windowUntil ?? null,
    }
    return c.json(answer)
  })

  app.get('/v1/decisions/:id', async (c) => c.json(await explain(context, c.req.param('id'))))
}

async function writtenBudget(incoming: IncomingMessage, id: string): Promise<WrittenBudget> {
  return { ...(await readJson(incoming, writtenBudgetSchema)), id }
}

function budgetsAnswer({ loop }: ApiContext): BudgetsAnswer {
  const { version, policy } = loop.governor.policy() ?? { version: 0, policy: { budgets: [] } }
  return { policyVersion: version, budgets: policy.budgets }
}

function basedOn(ifMatch: string | undefined): number | null {
  const version = Number(ifMatch?.replaceAll('"', ''))
  return ifMatch === undefined || !Number.isInteger(version) ? null : version
}

/** The amount in the unit of the budget. */
function addedAmount(context: ApiContext, id: string, text: string): string {
  const budget = budgetsAnswer(context).budgets.find((candidate) => candidate.id === id)
  if (!budget) throw noBudget(id)
  if (amountSchema.safeParse(text).success) return text
  const amount = parseAmount(text)
  const isMoney = budget.limit?.usd !== undefined
  if ('usd' in amount !== isMoney) {
    const unit = isMoney ? 'USD' : 'tokens'
    throw new TokenfuseError('bad_request', `budget "${id}" counts ${unit}, not "${text}"`, {
      fix: `Give an amount of ${unit}.`,
    })
  }
  return 'usd' in amount ? String(picoUsdFromUsd(amount.usd)) : String(amount.tokens)
}

function noBudget(id: string): TokenfuseError {
  return new TokenfuseError('not_found', `there is no budget "${id}"`, {
    fix: 'See `tokenfuse budget list` for those there are.',
  })
}
