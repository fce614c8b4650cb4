import type { ProcessorOptions } from '../processor/find.ts'
import { type ChildEnd, runChild } from './child.ts'
import { requirePreload, runEnvironment } from './environment.ts'
import { type Baseline, reportRun, takeBaseline } from './report.ts'
import { readRunBudgets, RunBudgets } from './run-budgets.ts'
import { openSession, type Session } from './session.ts'
import type { RunReport } from './summary.ts'

export { endLike } from './child.ts'

export type MeteredRun = {
  /** How the command ended. */
  readonly end: ChildEnd
  /** `null` where it could not be made, and then `problem` says why. */
  readonly report: RunReport | null
  readonly problem: string | null
}

/**
 * Runs a command with the preload and a processor, which is started where none runs, and asks afterwards what it
 * used.
 * @param budgetTexts budgets for its calls alone, such as `5usd` or `200ktok/task`
 * @throws TokenfuseError before the command was started: `processor_unreachable`, `command_not_found` and others
 */
export async function meteredRun(
  command: readonly string[],
  where: ProcessorOptions,
  budgetTexts: readonly string[],
): Promise<MeteredRun> {
  requirePreload()
  const shortBudgets = readRunBudgets(budgetTexts)
  const session = await openSession(where)
  try {
    const { client } = session
    const { env, run, own } = runEnvironment(process.env, client.address, budgetTexts.length > 0)
    const budgets = new RunBudgets(shortBudgets, own)
    const before = await takeBaseline(client, run)
    let end: ChildEnd
    try {
      await budgets.put(client)
      end = await runChild(command, env)
    } catch (error) {
      await budgets.remove(client)
      throw error
    }
    return { end, ...(await reportOrProblem(session, where, { run, before, budgets })) }
  } finally {
    await session.close()
  }
}

/** The command has ended by itself: whatever goes wrong from here on does not change how. */
async function reportOrProblem(
  session: Session,
  where: ProcessorOptions,
  { run, before, budgets }: { run: string; before: Baseline; budgets: RunBudgets },
): Promise<Pick<MeteredRun, 'report' | 'problem'>> {
  let again: Session | null = null
  try {
    // A processor that has ended meanwhile is started once more, to take what was left for it.
    if (!(await session.client.isReady())) again = await openSession(where)
    const report = await reportRun(again ?? session, run, before, budgets)
    await budgets.remove((again ?? session).client)
    return { report, problem: null }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return {
      report: null,
      problem: `no summary, and reports may wait for the next run: ${message}`,
    }
  } finally {
    await again?.close()
  }
}
