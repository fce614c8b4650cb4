import { type ChildProcess, spawn } from 'node:child_process'
import type { AgentSpec } from './agents.ts'

const MAX_OUTPUT_CHARACTERS = 10_000

export type AgentPlace = {
  readonly processorUrl: string
  readonly token: string
  readonly providerUrl: string
  readonly spoolDirectory: string
  /** What leads spans elsewhere than to the processor. */
  readonly environment: Readonly<Record<string, string>>
}

/** One agent in a process of its own, started as a person would: node with the preload, and the rest by environment. */
export class AgentProcess {
  readonly name: string
  readonly #child: ChildProcess
  readonly ended: Promise<void>
  exitCode: number | null = null
  stdout = ''
  stderr = ''

  constructor({ name, file, task }: AgentSpec, place: AgentPlace) {
    this.name = name
    const preload = import.meta.resolve('@tokenfuse/instrumentation/register')
    this.#child = spawn(process.execPath, ['--import', preload, file], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...agentEnvironment(name, place), ...(task !== null && { TOKENFUSE_TASK: task }) },
    })
    for (const name of ['stdout', 'stderr'] as const) {
      this.#child[name]?.setEncoding('utf8').on('data', (text: string) => {
        this[name] = (this[name] + text).slice(0, MAX_OUTPUT_CHARACTERS)
      })
    }
    this.ended = new Promise((resolve) => {
      // After its output has come whole.
      this.#child.once('close', (code) => {
        this.exitCode = code ?? 1
        resolve()
      })
    })
  }

  async stop(): Promise<void> {
    if (this.exitCode !== null) return
    this.#child.kill('SIGKILL')
    await this.ended
  }
}

/** Nothing that is set outside may lead the agents elsewhere. */
const FOREIGN = /^(TOKENFUSE_|OTEL_|OPENAI_|ANTHROPIC_|NODE_OPTIONS$|NODE_USE_ENV_PROXY$)/

function agentEnvironment(name: string, place: AgentPlace): NodeJS.ProcessEnv {
  const { host } = new URL(place.providerUrl)
  const label = `x-stand-in-label: ${name}`
  return {
    ...Object.fromEntries(Object.entries(process.env).filter(([key]) => !FOREIGN.test(key))),
    TOKENFUSE_URL: place.processorUrl,
    TOKENFUSE_TOKEN: place.token,
    TOKENFUSE_AGENT: name,
    TOKENFUSE_SPOOL_DIR: place.spoolDirectory,
    TOKENFUSE_HOSTS: `${host}=openai+usage,${host}=anthropic`,
    OPENAI_BASE_URL: `${place.providerUrl}/v1`,
    OPENAI_API_KEY: 'none',
    OPENAI_CUSTOM_HEADERS: label,
    ANTHROPIC_BASE_URL: place.providerUrl,
    ANTHROPIC_API_KEY: 'none',
    ANTHROPIC_CUSTOM_HEADERS: label,
    ...place.environment,
  }
}
