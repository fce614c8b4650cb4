import {
  type Dimension,
  ENV_TOKEN,
  ENV_TOKEN_FILE,
  type ErrorCode,
  ERROR_CODES,
  TokenfuseError,
} from '@tokenfuse/protocol/names'
import type {
  AgentReport,
  BudgetChangeAnswer,
  BudgetsAnswer,
  Decision,
  DecisionsAnswer,
  DetectionsAnswer,
  ExplainAnswer,
  ForecastsAnswer,
  LiftAnswer,
  OverrideAnswer,
  StatusAnswer,
  TaskCostsAnswer,
  TaskCostsBy,
  UsageAnswer,
} from '@tokenfuse/protocol'
import { findProcessor, type ProcessorAddress, type ProcessorOptions } from './find.ts'

const TIMEOUT_MS = 10_000
const PROBE_TIMEOUT_MS = 2_000

export type UsageQuery = {
  readonly by: readonly Dimension[]
  /** Only the calls of this scope, such as `agent=support`. Default: all. */
  readonly scope?: string
  /** A day, `today` or `all`. */
  readonly period: string
  readonly top: number
}

/** A budget or some of its fields, as the policy file has them. */
export type BudgetFields = Readonly<Record<string, unknown>>

export type OverrideRequest = {
  readonly budget: string
  readonly scope: string
  /** Such as `5usd`. */
  readonly add: string
  readonly reason: string
  readonly by: string
  /** ISO 8601; `null` for as long as the window. */
  readonly until: string | null
}

type Request = {
  readonly method: 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE'
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** Asks the control API of a processor. */
export class ProcessorClient {
  readonly address: ProcessorAddress

  constructor(address: ProcessorAddress) {
    this.address = address
  }

  usage({ by, scope = '*', period, top }: UsageQuery): Promise<UsageAnswer> {
    const query = new URLSearchParams({ scope, period, top: String(top) })
    for (const dimension of by) query.append('by', dimension)
    return this.#get<UsageAnswer>(`/v1/usage?${query.toString()}`)
  }

  /** What ended tasks cost. */
  taskCosts(by: TaskCostsBy, top: number): Promise<TaskCostsAnswer> {
    return this.#get<TaskCostsAnswer>(`/v1/task-costs?by=${by}&top=${top}`)
  }

  /** @param budgets only counters of these are told. Default: all. */
  status(budgets: readonly string[] = []): Promise<StatusAnswer> {
    const query = new URLSearchParams()
    for (const id of budgets) query.append('budget', id)
    return this.#get<StatusAnswer>(`/v1/status?${query.toString()}`)
  }

  /** What windows come to, of the fullest counters. @param top at most 1,000 */
  forecasts(query: { readonly budget?: string | undefined; readonly top: number }) {
    const { budget, top } = query
    const search = new URLSearchParams({
      top: String(top),
      ...(budget !== undefined && { budget }),
    })
    return this.#get<ForecastsAnswer>(`/v1/forecasts?${search.toString()}`)
  }

  /** Runaways and spikes of now and of late. */
  detections(): Promise<DetectionsAnswer> {
    return this.#get<DetectionsAnswer>('/v1/detections')
  }

  /** Those of the policy in force. */
  budgets(): Promise<BudgetsAnswer> {
    return this.#get<BudgetsAnswer>('/v1/budgets')
  }

  /** Puts a budget, in the place of one of the same id. */
  putBudget(id: string, budget: BudgetFields): Promise<BudgetChangeAnswer> {
    return this.#ask(budgetPath(id), { method: 'PUT', body: budget })
  }

  /**
   * Changes or makes a budget of the policy file, and leaves of one that is there what is not named.
   * @param basedOn the policy version that was looked at; with another one in force it fails with `policy_outdated`
   */
  changeBudget(id: string, fields: BudgetFields, basedOn: number): Promise<BudgetChangeAnswer> {
    const headers = { 'if-match': `"${basedOn}"` }
    return this.#ask(budgetPath(id), { method: 'PATCH', body: fields, headers })
  }

  removeBudget(id: string): Promise<BudgetChangeAnswer> {
    return this.#ask(budgetPath(id), { method: 'DELETE' })
  }

  override(request: OverrideRequest): Promise<OverrideAnswer> {
    return this.#ask('/v1/overrides', { method: 'POST', body: request })
  }

  /** Lets go of what a detection or a rule has stopped. */
  lift(id: string, request: { readonly reason: string; readonly by: string }): Promise<LiftAnswer> {
    const path = `/v1/decisions/${encodeURIComponent(id)}/lift`
    return this.#ask(path, { method: 'POST', body: request })
  }

  /** What is known of an agent. */
  agentReport(name: string): Promise<AgentReport> {
    return this.#get<AgentReport>(`/v1/agents/${encodeURIComponent(name)}/report`)
  }

  /** A decision of the governor, or a refusal of a guard. */
  explain(id: string): Promise<ExplainAnswer> {
    return this.#get<ExplainAnswer>(`/v1/decisions/${encodeURIComponent(id)}`)
  }

  /** Those in force. */
  async decisions(): Promise<readonly Decision[]> {
    return (await this.#get<DecisionsAnswer>('/v1/decisions')).decisions
  }

  /**
   * Listens, and leaves aside what it hears, so that the processor knows that it is in use.
   * @returns a function that ends it; `null` where it is not let in, as by a processor that ends. Never rejects.
   */
  async holdOpen(): Promise<(() => void) | null> {
    const ending = new AbortController()
    try {
      const response = await fetch(`${this.address.url}/v1/stream`, {
        headers: this.#headers(),
        signal: ending.signal,
      })
      // Where the processor goes away meanwhile, whoever asks it next will notice.
      readToEnd(response).catch(() => {})
      return response.ok ? () => ending.abort() : null
    } catch {
      return null
    }
  }

  /** Whether a processor answers and has read its log. Never throws. */
  async isReady(): Promise<boolean> {
    try {
      const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS)
      const response = await fetch(`${this.address.url}/readyz`, { signal })
      await response.arrayBuffer()
      return response.ok
    } catch {
      return false
    }
  }

  #get<Answer>(path: string): Promise<Answer> {
    return this.#ask<Answer>(path, { method: 'GET' })
  }

  /** Types are trusted: they are those of the processor's own contract, of the same version. */
  async #ask<Answer>(path: string, { method, body: sent, headers }: Request): Promise<Answer> {
    const { url } = this.address
    let response: Response
    let text: string
    try {
      response = await fetch(`${url}${path}`, {
        method,
        headers: { ...this.#headers(), ...headers },
        ...(sent === undefined ? {} : { body: JSON.stringify(sent) }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
      text = await response.text()
    } catch (cause) {
      throw new TokenfuseError('processor_unreachable', `no processor answers at ${url}`, {
        fix: 'Start one with "tokenfuse up", or name another with --url or --data.',
        cause,
      })
    }
    const body = parseJson(text)
    if (response.ok && body !== null) return body as Answer
    throw failureOf(url, response.status, body)
  }

  #headers(): Record<string, string> {
    const { token } = this.address
    return token === null ? {} : { authorization: `Bearer ${token}` }
  }
}

/**
 * The processor that the options and the environment name.
 * @throws TokenfuseError `processor_unreachable` where they name none
 */
export function connect(options: ProcessorOptions): ProcessorClient {
  const address = findProcessor(options, process.env)
  if (address !== null) return new ProcessorClient(address)
  throw new TokenfuseError('processor_unreachable', 'no processor is running for this folder', {
    fix: 'Start one with "tokenfuse up", or name another with --url, --data or TOKENFUSE_URL.',
  })
}

const budgetPath = (id: string) => `/v1/budgets/${encodeURIComponent(id)}`

function parseJson(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' ? value : null
  } catch {
    return null
  }
}

function failureOf(url: string, status: number, body: object | null): TokenfuseError {
  if (status === 401) {
    return new TokenfuseError('unauthorized', `${url} does not take this token`, {
      fix: `Set ${ENV_TOKEN} or ${ENV_TOKEN_FILE}, or run this in the folder of the processor.`,
    })
  }
  const { code, message, fix } =
    (body as { error?: Partial<Record<string, unknown>> } | null)?.error ?? {}
  if (typeof code === 'string' && code in ERROR_CODES && typeof message === 'string') {
    return new TokenfuseError(code as ErrorCode, message, typeof fix === 'string' ? { fix } : {})
  }
  return new TokenfuseError(
    'processor_unreachable',
    `${url} answered ${status}, which is no answer of tokenfuse`,
    {
      fix: 'Check the address: another program seems to listen there.',
    },
  )
}

async function readToEnd({ body }: Response): Promise<void> {
  for await (const _ of body ?? []);
}
