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

export type RunEnvironment = {
  readonly env: Record<string, string | undefined>
  /** The name of the run; of the outermost where it is within others. */
  readonly run: string
  /** A name of its own, and the tag that its calls alone carry. */
  readonly own: {
    readonly id: string
    readonly tag: { readonly name: string; readonly value: string }
  }
}

/**
 * The environment of the command: with the preload, and with the way to the processor.
 * @param isBounded whether its calls have to be told from those of a run that it is within
 */
export function runEnvironment(
  env: Environment,
  address: ProcessorAddress,
  isBounded = false,
): RunEnvironment {
  const given = runTagOf(env[ENV_TAGS])
  const id = `r-${randomBytes(4).toString('hex')}`
  // Within a bounded run the outer tag stays, so that its budget holds for this one, too.
  const tag =
    given === null ? { name: RUN_TAG, value: id } : { name: `${RUN_TAG}.${id}`, value: 'own' }
  const isTagged = given === null || isBounded
  const tags = [isTagged && `${tag.name}=${tag.value}`, env[ENV_TAGS]?.trim()].filter(Boolean)
  const token =
    address.tokenFile === null
      ? { [ENV_TOKEN]: address.token ?? undefined, [ENV_TOKEN_FILE]: undefined }
      : { [ENV_TOKEN]: undefined, [ENV_TOKEN_FILE]: address.tokenFile }
  return {
    run: given ?? id,
    own: { id, tag },
    env: {
      ...env,
      ...token,
      NODE_OPTIONS: nodeOptions(env['NODE_OPTIONS']),
      [ENV_URL]: address.url,
      [ENV_TAGS]: tags.join(','),
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
