import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  ENV_TAGS,
  ENV_TOKEN,
  ENV_TOKEN_FILE,
  ENV_URL,
  scopeKeyOf,
  TokenfuseError,
} from '@tokenfuse/protocol/names'
import type { ProcessorAddress } from '../processor/find.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** The tag by which the calls of one run are told from those of others: `tokenfuse usage --by tag.run`. */
const RUN_TAG = 'run'

/** Names the calls of one run. */
export function runScope(run: string): string {
  return scopeKeyOf([[`tag.${RUN_TAG}`, run]])
}

/**
 * The preload as one file, by its absolute address: a bare name would be looked up from wherever a child starts. In
 * an address nothing needs to be quoted, since blanks are percent-encoded.
 */
const preload = () => import.meta.resolve('@tokenfuse/instrumentation/register')

/**
 * Every Node process of the command would fail without it, so it is looked for before.
 * @throws TokenfuseError `file_unreadable`
 */
export function requirePreload(): void {
  const path = fileURLToPath(preload())
  if (existsSync(path)) return
  throw new TokenfuseError('file_unreadable', `the preload is missing: ${path}`, {
    fix: 'Install tokenfuse again, or build it with "npm run build" where it is a checkout.',
  })
}

/** The environment of the command: with the preload, and with the way to the processor. */
export function runEnvironment(
  env: Environment,
  address: ProcessorAddress,
): { env: Record<string, string | undefined>; run: string } {
  const given = runTagOf(env[ENV_TAGS])
  const run = given ?? `r-${randomBytes(4).toString('hex')}`
  const tags = env[ENV_TAGS]?.trim()
  const token =
    address.tokenFile === null
      ? { [ENV_TOKEN]: address.token ?? undefined, [ENV_TOKEN_FILE]: undefined }
      : { [ENV_TOKEN]: undefined, [ENV_TOKEN_FILE]: address.tokenFile }
  return {
    run,
    env: {
      ...env,
      ...token,
      NODE_OPTIONS: nodeOptions(env['NODE_OPTIONS']),
      [ENV_URL]: address.url,
      [ENV_TAGS]: given === null ? [`${RUN_TAG}=${run}`, tags].filter(Boolean).join(',') : tags,
    },
  }
}

/** The environment of our own processes, which are not metered. */
export function withoutPreload(env: Environment): Record<string, string | undefined> {
  const options = env['NODE_OPTIONS']?.replaceAll(importOption(), '').trim()
  return { ...env, NODE_OPTIONS: options === '' ? undefined : options }
}

function nodeOptions(before: string | undefined): string {
  const option = importOption()
  if (before === undefined || before.trim() === '') return option
  // A run within a run has it already, and twice would be refused by nobody but needed by nobody, either.
  return before.includes(option) ? before : `${before} ${option}`
}

const importOption = () => `--import=${preload()}`

function runTagOf(tags: string | undefined): string | null {
  for (const pair of (tags ?? '').split(',')) {
    const [name, value] = pair.split('=')
    if (name?.trim() === RUN_TAG && value) return value.trim()
  }
  return null
}
