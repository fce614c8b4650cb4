import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import type { BudgetStatus } from '@tokenfuse/protocol'
import {
  finished,
  hostsOf,
  makeTemporaryFolder,
  type ProcessorProcess,
  sendLeftSpans,
  spawnAgent,
  startProcessorProcess,
} from '../../support/processes.ts'
import { ask } from '../../support/processor.ts'
import type { CallCommand, CallResult } from '../agents/commanded.ts'
import { type ConfigPatch, type Provider, startProvider } from '../../support/provider/client.ts'

type Environment = Readonly<Record<string, string>>

const CLOCK = new URL('movable-clock.ts', import.meta.url).href
const AGENTS = join(import.meta.dirname, '../agents')

/** An agent in a process of its own: real, with the built preload. */
export type RunningAgent = {
  readonly child: ChildProcess
  /** What it printed, line by line as JSON, once it has ended and its last spans were sent. */
  readonly lines: Promise<readonly unknown[]>
}

/** An agent that calls when it is told to. */
export type CommandedAgent = {
  readonly child: ChildProcess
  /** Resolves when it has started. */
  ready(): Promise<void>
  call(command: CallCommand): Promise<CallResult>
  /** Sets its wall clock forward, or back. */
  moveClock(byMs: number): Promise<void>
  /** Lets it end in good order, and sends what it left. */
  end(): Promise<void>
}

/** A processor with a policy, and a stand-in provider whose ledger is the bill. */
export type Stage = {
  readonly folder: string
  readonly provider: Provider
  readonly processor: ProcessorProcess
  /** Starts a file of `test/e2e/agents/`; its first argument is the address of the stand-in. */
  agent(file: string, args?: readonly string[], env?: Environment): RunningAgent
  /** Starts an agent that does what it is told. */
  commanded(env?: Environment): CommandedAgent
  /** What the control API answers at a path. */
  ask<Answer>(path: string): Promise<Answer>
  /** The counter of a budget, for one scope. */
  budget(id: string, scope?: string): Promise<BudgetStatus | undefined>
}

export type StageSettings = {
  readonly provider?: ConfigPatch
  /** Environment of the processor. */
  readonly processor?: Environment
}

export async function startStage(
  t: TestContext,
  policy: string,
  settings: StageSettings = {},
): Promise<Stage> {
  const temporary = makeTemporaryFolder()
  const folder = temporary.path
  t.after(() => temporary.remove())
  const policyFile = join(folder, 'tokenfuse.yaml')
  writeFileSync(policyFile, policy)
  const [provider, processor] = await Promise.all([
    startProvider(settings.provider),
    startProcessorProcess(join(folder, 'data'), {
      policyFile,
      environment: {
        ...(settings.processor && { NODE_OPTIONS: `--import=${CLOCK}` }),
        ...settings.processor,
      },
    }),
  ])
  t.after(() => Promise.all([provider.stop(), processor.stop()]))
  const spoolDirectory = join(folder, 'spool')
  const sendLeft = () => sendLeftSpans(processor, spoolDirectory)
  const spawn = (file: string, args: readonly string[], environment: Environment) => {
    const hosts = hostsOf(provider)
    const child = spawnAgent(join(AGENTS, file), [provider.url, ...args], {
      processor,
      hosts,
      spoolDirectory,
      environment,
    })
    t.after(() => child.kill('SIGKILL'))
    return child
  }
  return {
    folder,
    provider,
    processor,
    agent: (file, args = [], environment = {}) => {
      const child = spawn(file, args, environment)
      return { child, lines: linesOf(child, sendLeft) }
    },
    commanded: (environment = {}) => {
      const clock = { NODE_OPTIONS: `--import=${CLOCK}` }
      return commandedAgent(spawn('commanded.ts', [], { ...clock, ...environment }), sendLeft)
    },
    ask: (path) => ask(processor, path),
    budget: async (id, scope = '*') => {
      const { budgets } = await processor.status()
      return budgets.find((status) => status.budget === id && status.scope === scope)
    },
  }
}

function commandedAgent(child: ChildProcess, sendLeft: () => Promise<unknown>): CommandedAgent {
  if (!child.stdin || !child.stdout) throw new Error('the agent has no pipes')
  const { stdin } = child
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const ask = async (command: unknown): Promise<unknown> => {
    stdin.write(`${JSON.stringify(command)}\n`)
    const { value, done } = await answers.next()
    if (done === true) throw new Error('the agent ended before it answered')
    return JSON.parse(value)
  }
  return {
    child,
    ready: async () => void (await ask({ clockMs: 0 })),
    call: async (command) => (await ask({ call: command })) as CallResult,
    moveClock: async (byMs) => void (await ask({ clockMs: byMs })),
    end: async () => {
      const ended = once(child, 'close')
      stdin.end()
      await ended
      await sendLeft()
    },
  }
}

async function linesOf(child: ChildProcess, ended: () => Promise<unknown>): Promise<unknown[]> {
  const { code, output } = await finished(child)
  if (code !== 0) throw new Error(`the agent ended with ${code}: ${output}`)
  await ended()
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line))
}

/** All tokens that the stand-in billed. */
export async function billedTokens(provider: Provider): Promise<number> {
  const { inputTokens, outputTokens } = await provider.summary()
  return inputTokens + outputTokens
}
