import type { CallParent } from '../context/parent.ts'
import type { Endpoint, RequestFacts } from '../providers/index.ts'
import type { Attribution, CallRecord } from '../telemetry/call-record.ts'

/** What is known of a call before it goes out. */
export type CallStart = {
  readonly endpoint: Endpoint
  readonly url: URL
  readonly facts: RequestFacts
  /** Characters of the request's body; 0 where it was not read. */
  readonly bodyLength: number
  readonly attribution: Attribution
  readonly parent: CallParent
  /** Of the call's own span; 16 hex digits. */
  readonly spanId: string
  /** The client sends the same request again after a failure; its tool calls were told of the first time. */
  readonly isRetry: boolean
  /** By which the app may give the call up. */
  readonly signal: AbortSignal | null
}

/** Fields of a record that do not depend on how the call goes. */
export function describeStart({ endpoint, url, facts, attribution, parent, spanId }: CallStart) {
  return {
    ...parent,
    spanId,
    attribution,
    provider: endpoint.provider,
    operation: endpoint.operation,
    requestModel: facts.model,
    originalModel: null,
    stream: facts.stream,
    maxOutputTokens: facts.maxOutputTokens,
    serverAddress: url.hostname,
    serverPort: url.port === '' ? (url.protocol === 'http:' ? 80 : 443) : Number(url.port),
  } satisfies Partial<CallRecord>
}
