import type { RequestFacts } from '../providers/index.ts'
import type { CallParent } from './parent.ts'

/** Of the oldest and of the newest tool calls of a conversation so many are looked at; apps leave out what is in between. */
const IDS_EACH_END = 16
/** Shorter ones are counted up anew in every conversation, as some local servers do. */
const ID_LENGTH_MIN = 9
/** Beyond it the id that was unused longest goes: its conversation begins a new trace, and nothing else is lost. */
const IDS_MAX = 10_000

/** What of an answer a later request may name. */
export type Answered = {
  readonly traceId: string
  readonly responseId: string | null
}

/**
 * Puts calls that name no task, and stand in no trace of the app, into one trace for each conversation, so that a loop
 * is seen as one. A request belongs to a conversation that was seen before where it carries one of its tool calls, or
 * goes on from one of its responses: both have ids that the provider made up. Only ids are kept.
 */
export class Conversations {
  readonly #traces = new Map<string, string>()

  /** @param parent where the call stands if it is of no conversation that is known */
  placeOf(parent: CallParent, facts: RequestFacts): CallParent {
    const ids = idsOf(facts)
    if (ids.length === 0) return parent
    const known = ids.find((id) => this.#traces.has(id))
    const traceId = (known && this.#traces.get(known)) ?? parent.traceId
    for (const id of ids) this.#keep(id, traceId)
    return traceId === parent.traceId ? parent : { traceId, parentSpanId: null }
  }

  /** A call was answered. */
  answered({ traceId, responseId }: Answered): void {
    if (responseId !== null && isContinuable(responseId)) this.#keep(responseId, traceId)
  }

  #keep(id: string, traceId: string): void {
    this.#traces.delete(id)
    this.#traces.set(id, traceId)
    const oldest = this.#traces.size > IDS_MAX ? this.#traces.keys().next().value : undefined
    if (oldest !== undefined) this.#traces.delete(oldest)
  }
}

/** Only responses are gone on from by their id; answers of other kinds have ids that nobody names again. */
const isContinuable = (responseId: string) => responseId.startsWith('resp_')

function idsOf({ toolCalls, body }: RequestFacts): string[] {
  const calls =
    toolCalls.length <= 2 * IDS_EACH_END
      ? toolCalls
      : [...toolCalls.slice(0, IDS_EACH_END), ...toolCalls.slice(-IDS_EACH_END)]
  const ids = calls.flatMap(({ id, name }) =>
    // In the form before tools a call has no id, and its name stands for it.
    id.length >= ID_LENGTH_MIN && id !== name ? [id] : [],
  )
  const before = body?.['previous_response_id']
  return typeof before === 'string' ? [before, ...ids] : ids
}
