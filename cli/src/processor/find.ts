import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import {
  DATA_DIRECTORY,
  ENDPOINT_FILE,
  ENV_TOKEN,
  ENV_TOKEN_FILE,
  ENV_URL,
  TOKEN_FILE,
  TokenfuseError,
} from '@tokenfuse/protocol/names'

/** Where a command was told to look for the processor. */
export type ProcessorOptions = {
  readonly data?: string | undefined
  readonly url?: string | undefined
  readonly token?: string | undefined
}

export type ProcessorAddress = {
  /** Without a slash at the end. */
  readonly url: string
  readonly token: string | null
  /** The file that the token stands in, where it comes from one. */
  readonly tokenFile: string | null
}

type Environment = Readonly<Record<string, string | undefined>>

/** The folder of the embedded processor: `--data`, or `.tokenfuse` in the current folder. */
export function dataDirectory(options: ProcessorOptions): string {
  return resolve(options.data ?? DATA_DIRECTORY)
}

/** Whether an address was named, so that no processor of the folder is meant. */
export function isRemote(options: ProcessorOptions, env: Environment): boolean {
  return options.url !== undefined || (options.data === undefined && Boolean(env[ENV_URL]?.trim()))
}

/**
 * Where the processor answers: `--url`, `--data`, `TOKENFUSE_URL`, the folder `.tokenfuse`, in this order. The token
 * is `--token`, or what belongs to the way by which the address was found.
 * @returns null where none of them says anything
 * @throws TokenfuseError `url_invalid`, or `file_unreadable` for a token file that is named and cannot be read
 */
export function findProcessor(
  options: ProcessorOptions,
  env: Environment,
): ProcessorAddress | null {
  const directory = dataDirectory(options)
  if (isRemote(options, env)) {
    const url = httpUrl(options.url ?? env[ENV_URL]?.trim() ?? '')
    return { url, ...tokenFromEnvironment(options, env, directory) }
  }
  const url = endpointOf(directory)
  if (url === null) return null
  if (options.token !== undefined) return { url, token: options.token, tokenFile: null }
  return { url, ...tokenOfDirectory(directory) }
}

type Token = Pick<ProcessorAddress, 'token' | 'tokenFile'>

function tokenFromEnvironment(
  options: ProcessorOptions,
  env: Environment,
  directory: string,
): Token {
  const given = options.token ?? env[ENV_TOKEN]?.trim()
  if (given) return { token: given, tokenFile: null }
  const file = env[ENV_TOKEN_FILE]?.trim()
  if (!file) return tokenOfDirectory(directory)
  const token = readText(file)?.trim()
  if (token) return { token, tokenFile: resolve(file) }
  throw new TokenfuseError(
    'file_unreadable',
    `${ENV_TOKEN_FILE} names ${file}, which cannot be read or is empty`,
    {
      fix: `Name a file with the token, or set ${ENV_TOKEN}.`,
    },
  )
}

function tokenOfDirectory(directory: string): Token {
  const file = join(directory, TOKEN_FILE)
  const token = readText(file)?.trim()
  return token ? { token, tokenFile: file } : { token: null, tokenFile: null }
}

function endpointOf(directory: string): string | null {
  try {
    const value: unknown = JSON.parse(readText(join(directory, ENDPOINT_FILE)) ?? '')
    const url = typeof value === 'object' && value !== null ? Reflect.get(value, 'url') : null
    return typeof url === 'string' ? httpUrl(url) : null
  } catch {
    return null
  }
}

function httpUrl(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol))
    return text.replace(/\/+$/, '')
  throw new TokenfuseError('url_invalid', `"${text}" is no http or https address`, {
    fix: 'Write it whole, such as http://127.0.0.1:4319.',
  })
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
