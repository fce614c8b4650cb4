import {
  DEFAULT_TENANT,
  ENV_AGENT,
  ENV_CRITICALITY,
  ENV_DISABLED,
  ENV_HOSTS,
  ENV_ON_START,
  ENV_RESOURCE_ATTRIBUTES,
  ENV_SERVICE_NAME,
  ENV_SESSION,
  ENV_TAGS,
  ENV_TASK,
  ENV_TASK_TYPE,
  ENV_TENANT,
  ENV_USER,
  UNKNOWN,
} from '@tokenfuse/protocol/names'
import { readCriticality, readName, readTags } from './context/identity.ts'
import type { Attribution } from './telemetry/call-record.ts'
import { parseExtraHosts } from './providers/index.ts'
import type { ExtraHost } from './providers/index.ts'

/** What the environment says, read once. */
export type Settings = {
  /** Who calls where neither `withAgent` nor baggage says it. */
  readonly defaults: Attribution
  readonly extraHosts: readonly ExtraHost[]
  /** What to do about calls before anything is known of budgets. */
  readonly onStart: 'allow' | 'refuse'
  /** What is wrong with the environment, each a sentence; the rest of it holds. */
  readonly problems: readonly string[]
}

export type Environment = Readonly<Record<string, string | undefined>>

export function isDisabled(env: Environment): boolean {
  const value = env[ENV_DISABLED]?.trim().toLowerCase()
  return value !== undefined && !['', '0', 'false', 'no', 'off'].includes(value)
}

/** Never throws: what cannot be understood is left out and told in `problems`. */
export function readSettings(env: Environment): Settings {
  const problems: string[] = []
  const { hosts, problems: hostProblems } = parseExtraHosts(env[ENV_HOSTS] ?? '')
  problems.push(...hostProblems)
  return {
    defaults: defaultAttribution(env, problems),
    extraHosts: hosts,
    onStart: readOnStart(env[ENV_ON_START], problems),
    problems,
  }
}

function readOnStart(text: string | undefined, problems: string[]): Settings['onStart'] {
  const value = text?.trim().toLowerCase() ?? ''
  if (value === 'refuse') return 'refuse'
  if (value !== '' && value !== 'allow') problems.push(`${ENV_ON_START}: use allow or refuse`)
  return 'allow'
}

function defaultAttribution(env: Environment, problems: string[]): Attribution {
  const service = serviceName(env)
  const criticality = readCriticality(env[ENV_CRITICALITY])
  if (env[ENV_CRITICALITY] && criticality === null) {
    problems.push(`${ENV_CRITICALITY}: use critical, normal or best_effort`)
  }
  return {
    agent: readName(env[ENV_AGENT]) ?? service,
    task: readName(env[ENV_TASK]) ?? UNKNOWN,
    taskType: readName(env[ENV_TASK_TYPE]),
    user: readName(env[ENV_USER]) ?? UNKNOWN,
    session: readName(env[ENV_SESSION]) ?? UNKNOWN,
    tenant: readName(env[ENV_TENANT]) ?? DEFAULT_TENANT,
    service,
    stepIndex: null,
    stepName: null,
    difficulty: null,
    criticality: criticality ?? 'normal',
    tags: readTags(parsePairs(env[ENV_TAGS] ?? '')),
  }
}

function serviceName(env: Environment): string {
  const fromResource = parsePairs(env[ENV_RESOURCE_ATTRIBUTES] ?? '')['service.name']
  return readName(env[ENV_SERVICE_NAME]) ?? readName(fromResource) ?? UNKNOWN
}

/** `name=value` pairs, separated by commas; values may be percent-encoded. */
function parsePairs(text: string): Record<string, string> {
  const pairs: Record<string, string> = {}
  for (const pair of text.split(',')) {
    const at = pair.indexOf('=')
    if (at <= 0) continue
    const value = pair.slice(at + 1).trim()
    try {
      pairs[pair.slice(0, at).trim()] = decodeURIComponent(value)
    } catch {
      pairs[pair.slice(0, at).trim()] = value
    }
  }
  return pairs
}
