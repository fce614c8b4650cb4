import type { Endpoint, RequestFacts } from '../providers/index.ts'
import type { StartedBody } from './passing-body.ts'

/** Of an error's body, this much is searched for the reason. */
const PEEK_BYTES_MAX = 16_384
const HOSTS_MAX = 1000
const SEALING_HEADERS = [
  'content-digest',
  'content-md5',
  'digest',
  'signature',
  'x-amz-content-sha256',
]

/**
 * Whether a stream may be asked for its usage on the app's behalf (`stream_options.include_usage`), and the hosts that
 * turned out not to understand the question: they are not asked again as long as the process lives.
 */
export class UsageQuestion {
  readonly #declined = new Set<string>()

  mayAsk(endpoint: Endpoint, facts: RequestFacts, url: URL, headers: Headers): boolean {
    return (
      endpoint.acceptsIncludeUsage &&
      facts.stream &&
      !facts.asksForUsage &&
      facts.body !== null &&
      !this.#declined.has(url.host) &&
      !isSealed(headers)
    )
  }

  decline(url: URL): void {
    if (this.#declined.size < HOSTS_MAX) this.#declined.add(url.host)
  }
}

/** Whether the body's bytes are vouched for in a header, so that no other body would be accepted. */
export function isSealed(headers: Headers): boolean {
  return (
    SEALING_HEADERS.some((name) => headers.has(name)) ||
    headers.get('authorization')?.startsWith('AWS4') === true
  )
}

/** A status with which a host may mean that it does not know the question. */
export function mayBeDeclined(status: number): boolean {
  return status === 400 || status === 422
}

/** Reads the beginning of an error's body into `chunks`, and returns it as text; the rest stays to be read. */
export async function peekText({ reader, chunks }: StartedBody): Promise<string> {
  let length = 0
  try {
    while (length < PEEK_BYTES_MAX) {
      const { done, value } = await reader.read()
      if (done) break
      chunks.push(value)
      length += value.length
    }
  } catch {
    // Whoever reads on meets the same error.
  }
  return Buffer.concat(chunks).toString('utf8')
}

export function declinesQuestion(errorText: string): boolean {
  return /stream_options|include_usage/i.test(errorText)
}
