import { type ExtraHost, isAtHost } from './extra-hosts.ts'
import { providerOfHost } from './provider-hosts.ts'

/** A wire format of requests and answers. */
export type Dialect =
  | 'openai.chat'
  | 'openai.responses'
  | 'openai.completions'
  | 'openai.embeddings'
  | 'anthropic.messages'

/** What an inference request is addressed to. */
export type Endpoint = {
  /** `gen_ai.provider.name` */
  readonly provider: string
  readonly dialect: Dialect
  readonly operation: 'chat' | 'text_completion' | 'embeddings'
  /** Whether the host is known to accept `stream_options.include_usage` and needs it. */
  readonly acceptsIncludeUsage: boolean
  /** The model or deployment that the address names, where it does (Azure). */
  readonly modelInPath: string | null
}

const OPENAI_PATHS: Readonly<Record<string, Dialect>> = {
  'chat/completions': 'openai.chat',
  responses: 'openai.responses',
  'responses/compact': 'openai.responses',
  completions: 'openai.completions',
  embeddings: 'openai.embeddings',
}
const OPERATIONS: Readonly<Record<Dialect, Endpoint['operation']>> = {
  'openai.chat': 'chat',
  'openai.responses': 'chat',
  'openai.completions': 'text_completion',
  'openai.embeddings': 'embeddings',
  'anthropic.messages': 'chat',
}
const OPENAI_PATH = /^\/v1\/(chat\/completions|responses(?:\/compact)?|completions|embeddings)$/
const AZURE_PATH =
  /^\/openai\/(?:deployments\/([^/]+)\/|v1\/)?(chat\/completions|responses(?:\/compact)?|completions|embeddings)$/
const ANY_OPENAI_PATH = /\/(chat\/completions|responses(?:\/compact)?|completions|embeddings)$/
const ANY_ANTHROPIC_PATH = /\/v1\/messages$/

/**
 * The endpoint that a request is for, or `null` where it is no inference request. Host, path and method decide;
 * reading a response again (`GET`) or counting tokens is none.
 */
export function matchEndpoint(
  method: string,
  url: URL,
  extraHosts: readonly ExtraHost[],
): Endpoint | null {
  if (method.toUpperCase() !== 'POST') return null
  const path = url.pathname.replace(/\/$/, '')
  return matchKnownHost(url, path) ?? matchExtraHost(url, path, extraHosts)
}

function matchKnownHost(url: URL, path: string): Endpoint | null {
  if (url.port !== '') return null
  const provider = providerOfHost(url.hostname)
  if (provider === 'openai') {
    const dialect = OPENAI_PATHS[OPENAI_PATH.exec(path)?.[1] ?? '']
    return dialect ? endpoint(provider, dialect, true) : null
  }
  if (provider === 'azure.ai.openai') {
    const [, deployment, name] = AZURE_PATH.exec(path) ?? []
    const dialect = OPENAI_PATHS[name ?? '']
    // Azure's completions are older than the option.
    const accepts = dialect === 'openai.chat'
    return dialect ? endpoint(provider, dialect, accepts, decoded(deployment)) : null
  }
  if (provider === 'anthropic' && path === '/v1/messages') {
    return endpoint(provider, 'anthropic.messages', false)
  }
  return null
}

function matchExtraHost(url: URL, path: string, extraHosts: readonly ExtraHost[]): Endpoint | null {
  for (const host of extraHosts) {
    if (!isAtHost(url, host)) continue
    const dialect = dialectOfPath(path)
    if (!dialect || !dialect.startsWith(host.family)) continue
    return endpoint(providerOfHost(url.hostname) ?? host.family, dialect, host.acceptsIncludeUsage)
  }
  return null
}

/** The dialect that a path of any host or gateway stands for, whatever precedes it. */
export function dialectOfPath(path: string): Dialect | null {
  if (ANY_ANTHROPIC_PATH.test(path)) return 'anthropic.messages'
  return OPENAI_PATHS[ANY_OPENAI_PATH.exec(path)?.[1] ?? ''] ?? null
}

function endpoint(
  provider: string,
  dialect: Dialect,
  acceptsIncludeUsage: boolean,
  modelInPath: string | null = null,
): Endpoint {
  const hasStreamOptions = dialect === 'openai.chat' || dialect === 'openai.completions'
  return {
    provider,
    dialect,
    operation: OPERATIONS[dialect],
    acceptsIncludeUsage: acceptsIncludeUsage && hasStreamOptions,
    modelInPath,
  }
}

function decoded(segment: string | undefined): string | null {
  if (segment === undefined) return null
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
