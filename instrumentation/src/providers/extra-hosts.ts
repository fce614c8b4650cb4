import { ENV_HOSTS } from '@tokenfuse/protocol/names'

/** A host that the user says speaks a known dialect: a gateway, a proxy, a local server. */
export type ExtraHost = {
  /** `name` or `name:port`; without a port, any. */
  readonly host: string
  readonly family: 'openai' | 'anthropic'
  readonly acceptsIncludeUsage: boolean
}

const ENTRY = /^((?:\[[0-9a-f:.]+\]|[^\s:/=[\]]+)(?::\d{1,5})?)=(openai|anthropic)(\+usage)?$/i

/**
 * Reads `host[:port]=openai|anthropic[+usage]`, separated by commas.
 * @returns the hosts, and a sentence for each entry that says something else
 */
export function parseExtraHosts(text: string): { hosts: ExtraHost[]; problems: string[] } {
  const hosts: ExtraHost[] = []
  const problems: string[] = []
  for (const entry of text.split(',').map((part) => part.trim())) {
    if (entry === '') continue
    const [, host, family, usage] = ENTRY.exec(entry) ?? []
    if (host === undefined) {
      problems.push(`${ENV_HOSTS}: "${entry}" is not host[:port]=openai|anthropic[+usage]`)
      continue
    }
    hosts.push({
      host: host.toLowerCase(),
      family: family?.toLowerCase() === 'anthropic' ? 'anthropic' : 'openai',
      acceptsIncludeUsage: usage !== undefined,
    })
  }
  return { hosts, problems }
}

/** Whether an address is at this host, and at its port where it names one. */
export function isAtHost(url: URL, { host }: ExtraHost): boolean {
  if (host === url.hostname || host === url.host) return true
  const defaultPort = url.protocol === 'https:' ? '443' : '80'
  return url.port === '' && host === `${url.hostname}:${defaultPort}`
}
