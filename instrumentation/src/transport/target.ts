import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  DATA_DIRECTORY,
  DEFAULT_URL,
  ENDPOINT_FILE,
  ENV_OTLP_ENDPOINT,
  ENV_OTLP_HEADERS,
  ENV_OTLP_TRACES_ENDPOINT,
  ENV_OTLP_TRACES_HEADERS,
  ENV_TOKEN,
  ENV_TOKEN_FILE,
  ENV_URL,
  TokenfuseError,
  TOKEN_FILE,
} from '@tokenfuse/protocol/names'

/** Where requests go and what they carry. */
export type Target = {
  readonly url: URL
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  /** The state of the processor that is meant, where it is the one of this folder. */
  readonly dataDirectory: string | null
}

/** What a target is read from. Both are those of the start: an app may change either for its own ends. */
export type Surroundings = {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly workingDirectory: string
}

/**
 * The processor: `TOKENFUSE_URL`, or the one whose state is in the current folder, or the default. Reads files
 * anew on each call. Throws `url_invalid`.
 */
export function processorTarget(surroundings: Surroundings): Target {
  const { environment, workingDirectory } = surroundings
  const data = join(workingDirectory, DATA_DIRECTORY)
  const local = localUrl(join(data, ENDPOINT_FILE)) ?? DEFAULT_URL
  const url = parseUrl(setting(environment, ENV_URL) ?? local, ENV_URL)
  // The token beside us is for the processor beside us: no other address is told it.
  const isLocal = url.href === parseUrl(local, ENDPOINT_FILE).href || isDefault(url)
  const tokenFile =
    setting(environment, ENV_TOKEN_FILE) ?? (isLocal ? join(data, TOKEN_FILE) : undefined)
  const token = setting(environment, ENV_TOKEN) ?? (tokenFile ? readText(tokenFile) : null)
  return {
    url,
    headers: token ? { authorization: `Bearer ${token}` } : {},
    dataDirectory: isLocal ? data : null,
  }
}

/** Where spans go: the OpenTelemetry exporter's settings where there are any, else the processor. */
export function tracesTarget(surroundings: Surroundings): Target {
  const { environment } = surroundings
  const url = exporterUrl(environment)
  if (url === null) {
    const processor = processorTarget(surroundings)
    return { ...processor, url: withPath(processor.url, '/v1/traces') }
  }
  const headers = {
    ...parseHeaders(setting(environment, ENV_OTLP_HEADERS)),
    ...parseHeaders(setting(environment, ENV_OTLP_TRACES_HEADERS)),
  }
  return { url, headers, dataDirectory: null }
}

function exporterUrl(environment: Surroundings['environment']): URL | null {
  const traces = setting(environment, ENV_OTLP_TRACES_ENDPOINT)
  if (traces) return parseUrl(traces, ENV_OTLP_TRACES_ENDPOINT)
  const base = setting(environment, ENV_OTLP_ENDPOINT)
  return base ? withPath(parseUrl(base, ENV_OTLP_ENDPOINT), '/v1/traces') : null
}

/** `path` below the address, which may have a path of its own. */
export function withPath(base: URL, path: string): URL {
  const url = new URL(base)
  const [pathname = '', query] = path.split('?', 2)
  url.pathname = url.pathname.replace(/\/+$/, '') + pathname
  if (query !== undefined) url.search = query
  return url
}

/**
 * Names for whoever gets the spans, 16 hex digits each, that tell nothing of token or address; the first is the
 * best. A processor of this machine is known by its token, or else by its folder, since its port may be another
 * after each start; any other by its address, since its tokens change.
 */
export function destinationsOf(target: Target): readonly [string, ...string[]] {
  const { url, headers, dataDirectory } = target
  const byUrl = destination(`url ${url.origin}${url.pathname}`)
  if (!isLoopback(url)) return [byUrl]
  const authorization = headers['authorization']
  const byFolder = dataDirectory === null ? null : destination(`folder ${dataDirectory}`)
  if (authorization === undefined) return [byFolder ?? byUrl]
  const byToken = destination(`token ${authorization}`)
  return byFolder === null ? [byToken] : [byToken, byFolder]
}

function destination(identity: string): string {
  // Crypto is loaded by the first call and not at start-up.
  const { createHash } = process.getBuiltinModule('node:crypto')
  return createHash('sha256').update(identity).digest('hex').slice(0, 16)
}

const isLoopback = (url: URL) =>
  /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname)

const isDefault = (url: URL) => url.href === new URL(DEFAULT_URL).href

function setting(environment: Surroundings['environment'], name: string): string | undefined {
  const text = environment[name]?.trim()
  return text === '' ? undefined : text
}

function parseUrl(text: string, name: string): URL {
  const url = URL.parse(text)
  if (url && (url.protocol === 'http:' || url.protocol === 'https:')) return url
  throw new TokenfuseError('url_invalid', `${name} is not an http or https address: ${text}`, {
    fix: `Set ${name} to an address such as ${DEFAULT_URL}.`,
  })
}

/** `name=value` pairs separated by commas, percent-encoded, as the OpenTelemetry exporters read them. */
function parseHeaders(text: string | undefined): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const pair of text?.split(',') ?? []) {
    const at = pair.indexOf('=')
    const name = pair.slice(0, Math.max(at, 0)).trim().toLowerCase()
    if (name === '') continue
    headers[name] = decode(pair.slice(at + 1).trim())
  }
  return headers
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // Not percent-encoded after all.
  }
}

/** A folder that came from elsewhere must not choose where reports go: only this machine is believed. */
function localUrl(path: string): string | null {
  const text = readText(path)
  if (text === null) return null
  try {
    const content: unknown = JSON.parse(text)
    if (typeof content !== 'object' || content === null || !('url' in content)) return null
    const url = typeof content.url === 'string' ? URL.parse(content.url) : null
    return url && isLoopback(url) ? url.href : null
  } catch {
    return null // Being written just now; it is read again after the next failure.
  }
}

/** A file's text without white space around it; `null` where there is none that can be read. */
function readText(path: string): string | null {
  try {
    const text = readFileSync(path, 'utf8').trim()
    return text === '' ? null : text
  } catch {
    return null
  }
}
