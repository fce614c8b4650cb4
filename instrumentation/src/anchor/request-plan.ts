import { withOutputLimit, withUsageAsked } from '../providers/index.ts'
import type { CallStart } from './call-start.ts'
import { withChanges } from './outgoing.ts'
import type { FetchArguments, Outgoing } from './outgoing.ts'
import { removePrivateHeaders } from './private-headers.ts'
import { isSealed } from './usage-question.ts'
import type { UsageQuestion } from './usage-question.ts'

/** What goes on the wire. */
export type RequestPlan = {
  readonly args: FetchArguments
  /** The same without the question for usage; `null` where it was not asked. */
  readonly unasked: FetchArguments | null
}

export type PlannedRequest = {
  readonly args: FetchArguments
  readonly outgoing: Outgoing
  readonly bodyText: string | null
  readonly start: CallStart
  /** The longest answer that is allowed; `null` changes nothing. */
  readonly cap: number | null
}

/** Whether another body can take the place of the app's. */
export function isChangeable({
  args,
  outgoing,
}: Pick<PlannedRequest, 'args' | 'outgoing'>): boolean {
  return !isSealed(outgoing.headers) && withChanges(args, {}) !== null
}

/** The app's own call wherever nothing has to change. */
export function planRequest(request: PlannedRequest, question: UsageQuestion): RequestPlan {
  const { args, outgoing, start, cap } = request
  const { endpoint, facts, url } = start
  const { headers } = outgoing
  const hadPrivate = removePrivateHeaders(headers)
  const plain = hadPrivate ? (withChanges(args, { headers }) ?? args) : args
  const { bodyText } = request
  if (bodyText === null) return { args: plain, unasked: null }
  const capped = cap === null ? null : withOutputLimit(bodyText, endpoint, facts, cap)
  const body = capped ?? bodyText
  const unasked = capped === null ? plain : (withBody(args, headers, capped) ?? plain)
  if (!question.mayAsk(endpoint, facts, url, headers)) return { args: unasked, unasked: null }
  const asked = withBody(args, headers, withUsageAsked(body, facts))
  return asked === null ? { args: unasked, unasked: null } : { args: asked, unasked }
}

function withBody(args: FetchArguments, headers: Headers, body: string): FetchArguments | null {
  const changed = new Headers(headers)
  changed.delete('content-length')
  return withChanges(args, { headers: changed, body })
}
