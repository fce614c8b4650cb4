import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { stopChild } from '../support/child.ts'
import { type AgentSettings, spawnAgent } from '../support/processes.ts'
import type { ReplayPlan, ReplayRun } from './replay-plan.ts'

const PROCESSES_MAX = 4
const agentFile = join(import.meta.dirname, 'agent.ts')

export type CrewSettings = AgentSettings & {
  readonly folder: string
  readonly concurrency: number
  readonly plan: Omit<ReplayPlan, 'runs' | 'concurrency'>
  /** Called for each call that was answered. */
  readonly answered: () => void
}

/** The processes that replay some runs together. */
export type Crew = {
  /** Resolves when all have ended; rejects when one failed that was not killed. */
  readonly done: Promise<void>
  /** Ends them with SIGKILL. Resolves when they are gone. */
  kill(): Promise<void>
}

let crews = 0

export function startCrew(runs: readonly ReplayRun[], settings: CrewSettings): Crew {
  crews++
  let killed = false
  const count = Math.min(PROCESSES_MAX, settings.concurrency, runs.length)
  const members = shareOut(runs, count).map((own, index) => {
    const concurrency =
      Math.floor(settings.concurrency / count) + (index < settings.concurrency % count ? 1 : 0)
    const plan: ReplayPlan = { ...settings.plan, runs: own, concurrency }
    const planFile = join(settings.folder, `plan-${crews}-${index}.json`)
    writeFileSync(planFile, JSON.stringify(plan))
    const child = spawnAgent(agentFile, [planFile], settings)
    if (child.stdout) createInterface({ input: child.stdout }).on('line', settings.answered)
    const ended = once(child, 'close').then(([code, signal]) => {
      if (code === 0 || killed) return
      throw new Error(`an agent process ended with ${String(code ?? signal)}`)
    })
    return { child, ended }
  })
  return {
    done: Promise.all(members.map(({ ended }) => ended)).then(() => {}),
    async kill() {
      killed = true
      await Promise.all(members.map(({ child }) => stopChild(child, 'SIGKILL')))
    },
  }
}

/** Gives each process about as many calls as the others; runs stay whole. */
function shareOut(runs: readonly ReplayRun[], count: number): ReplayRun[][] {
  const shares = Array.from({ length: count }, () => ({ calls: 0, runs: [] as ReplayRun[] }))
  for (const run of runs) {
    const least = shares.reduce((best, share) => (share.calls < best.calls ? share : best))
    least.runs.push(run)
    least.calls += run.calls.length - run.from
  }
  return shares.map((share) => share.runs)
}
