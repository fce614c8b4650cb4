import { sendSpool, spoolFolder } from '@tokenfuse/instrumentation/spool'
import type { Action, Decision } from '@tokenfuse/protocol'
import type { ProcessorClient } from '../processor/client.ts'
import { runScope } from './environment.ts'
import type { RunBudgets } from './run-budgets.ts'
import type { Session } from './session.ts'
import { type RunReport, usageSince } from './summary.ts'

const REFUSING: readonly Action[] = ['throttle', 'pause', 'block', 'kill']
/** All agents that a run is likely to have: the sums are of all of them in any case. */
const MAX_AGENTS = 1000

/** How things stood before a run. */
export type Baseline = Awaited<ReturnType<typeof takeBaseline>>

/** Asked before the run, so that what came earlier under the same name is not its own. */
export async function takeBaseline(client: ProcessorClient, run: string) {
  const [usage, { droppedSpans }] = await Promise.all([usageOfRun(client, run), client.status()])
  return { usage, droppedSpans, startMs: performance.now() }
}

/** Sends what the run left behind, and asks what it used once all of it is counted. */
export async function reportRun(
  session: Session,
  run: string,
  before: Baseline,
  budgets: RunBudgets,
): Promise<RunReport> {
  const durationMs = performance.now() - before.startMs
  const { client } = session
  const spool = await sendLeftovers(session)
  const [after, status, decisions, budgetStatuses] = await Promise.all([
    usageOfRun(client, run),
    client.status(),
    client.decisions(),
    budgets.statuses(client),
  ])
  const { rows, total } = usageSince(before.usage, after)
  // After a restart of the processor its count began anew.
  const droppedByAgents = Math.max(0, status.droppedSpans - before.droppedSpans)
  return {
    run,
    durationMs,
    agents: rows.filter(({ calls, refusedCalls }) => calls + refusedCalls > 0),
    total,
    budgets: budgetStatuses,
    refusals: decisions.filter(refuses),
    droppedSpans: droppedByAgents + spool.droppedSpans,
    waitingFiles: spool.failed,
  }
}

async function sendLeftovers({ client, dataDirectory }: Session) {
  const { url, token } = client.address
  return sendSpool({
    directory: spoolFolder(process.env).directory,
    endpoint: `${url}/v1/traces`,
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
    ...(dataDirectory === null ? {} : { dataDirectory }),
  })
}

function usageOfRun(client: ProcessorClient, run: string) {
  return client.usage({ by: ['agent'], scope: runScope(run), period: 'all', top: MAX_AGENTS })
}

const refuses = ({ action, mode }: Decision) => mode === 'enforce' && REFUSING.includes(action)
