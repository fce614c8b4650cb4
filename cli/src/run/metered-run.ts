import type { ProcessorOptions } from '../processor/find.ts'
import { type ChildEnd, runChild } from './child.ts'
import { requirePreload, runEnvironment } from './environment.ts'
import { type Baseline, reportRun, takeBaseline } from './report.ts'
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
 * @throws TokenfuseError before the command was started: `processor_unreachable`, `command_not_found` and others
 */
export async function meteredRun(
  command: readonly string[],
  where: ProcessorOptions,
): Promise<MeteredRun> {
  requirePreload()
  const session = await openSession(where)
  try {
    const { env, run } = runEnvironment(process.env, session.client.address)
    const before = await takeBaseline(session.client, run)
    const end = await runChild(command, env)
    return { end, ...(await reportOrProblem(session, where, run, before)) }
  } finally {
    await session.close()
  }
}

/** The command has ended by itself: whatever goes wrong from here on does not change how. */
async function reportOrProblem(
  session: Session,
  where: ProcessorOptions,
  run: string,
  before: Baseline,
): Promise<Pick<MeteredRun, 'report' | 'problem'>> {
  let again: Session | null = null
  try {
    // A processor that has ended meanwhile is started once more, to take what was left for it.
    if (!(await session.client.isReady())) again = await openSession(where)
    return { report: await reportRun(again ?? session, run, before), problem: null }
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
