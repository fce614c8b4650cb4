import { UNKNOWN } from '@tokenfuse/protocol/names'
import { currentAttribution } from '../context/attribution.ts'
import type { Conversations } from '../context/conversations.ts'
import type { PreloadExtension } from '../extension.ts'
import { currentParent, markParentCounted } from '../context/parent.ts'
import type { CallParent, CurrentParent } from '../context/parent.ts'
import { newSpanId } from '../context/trace-ids.ts'
import { callValues } from '../guard/call-values.ts'
import type { Admission } from '../guard/guard.ts'
import { refusalOnWire } from '../guard/refusal-response.ts'
import { reportFault } from '../log.ts'
import { matchEndpoint, readRequest } from '../providers/index.ts'
import type { ExtraHost, RequestFacts } from '../providers/index.ts'
import type { Attribution } from '../telemetry/call-record.ts'
import { Call } from './call.ts'
import type { CallServices } from './call.ts'
import type { CallStart } from './call-start.ts'
import { isWebResponse, observeCall } from './observed-call.ts'
import { startBody } from './observed-response.ts'
import { postAddress, readOutgoing } from './outgoing.ts'
import type { FetchArguments, Outgoing } from './outgoing.ts'
import type { StartedBody } from './passing-body.ts'
import { PrivateHeaderFilter } from './private-headers.ts'
import { refusedCallRecord } from './refused-call.ts'
import { isChangeable, planRequest } from './request-plan.ts'
import type { RequestPlan } from './request-plan.ts'
import { declinesQuestion, mayBeDeclined, peekText, UsageQuestion } from './usage-question.ts'

export type AnchorOptions = CallServices & {
  /** Sends the request of a call, in whatever context its own spans are to be made. */
  readonly sendWithin: PreloadExtension['sendWithin']
  readonly extraHosts: readonly ExtraHost[]
  readonly conversations: Conversations
  /** Who calls where nothing else says it. */
  readonly defaults: Attribution
}

type Send = (args: FetchArguments) => Promise<Response>
/** A call whose body was not looked at yet. */
type Recognised = Omit<CallStart, 'facts' | 'bodyLength'> & Pick<CurrentParent, 'isGiven'>
/** One call to the app's fetch that goes to a provider. */
type Caught = {
  readonly send: Send
  readonly args: FetchArguments
  readonly outgoing: Outgoing
  readonly bodyText: string | null
  readonly start: CallStart
}

const ADMITTED: Admission & { admit: true } = {
  admit: true,
  verdict: { action: 'allow', reserve: null, cap: null, decision: null },
  admittedAtMs: null,
  reservation: null,
}

/** Stands in for `fetch`: meters and guards what goes to a provider, and is not there for anything else. */
export class FetchAnchor {
  readonly #options: AnchorOptions
  readonly #question = new UsageQuestion()
  readonly #privateHeaders: PrivateHeaderFilter

  constructor(options: AnchorOptions) {
    this.#options = options
    this.#privateHeaders = new PrivateHeaderFilter(
      (method, url) => matchEndpoint(method, url, options.extraHosts) !== null,
    )
  }

  /** `null`: this call is none of ours. Otherwise what `fetch` is to return. */
  intercept(send: Send, args: FetchArguments): Promise<Response> | null {
    const caught = this.#recognise(args)
    if (caught === null) return null
    const { outgoing, ...from } = caught
    const withBody = (bodyText: string | null): Promise<Response> => {
      const facts = readRequest(from.endpoint, bodyText ?? '')
      const parent = this.#placeOf(from, facts)
      const start = { ...from, parent, facts, bodyLength: bodyText?.length ?? 0 }
      return this.#ask({ send, args, outgoing, bodyText, start })
    }
    const { bodyText } = outgoing
    return bodyText instanceof Promise ? bodyText.then(withBody) : withBody(bodyText)
  }

  /** What has a name, or a trace of the app, can be told apart by that. */
  #placeOf({ parent, isGiven, attribution }: Recognised, facts: RequestFacts): CallParent {
    if (isGiven || attribution.task !== UNKNOWN) return parent
    return this.#options.conversations.placeOf(parent, facts)
  }

  #recognise(args: FetchArguments): (Recognised & { readonly outgoing: Outgoing }) | null {
    try {
      const url = postAddress(args)
      const endpoint = url && matchEndpoint('POST', url, this.#options.extraHosts)
      if (!url || !endpoint) return null
      const outgoing = readOutgoing(args)
      // Nothing will be sent, and fetch says so itself.
      if (outgoing === null || outgoing.signal?.aborted) return null
      // Who calls is known only now: what runs later runs in other contexts.
      const attribution = currentAttribution(this.#options.defaults)
      const { parent, isGiven } = currentParent()
      markParentCounted()
      const isRetry = (outgoing.headers.get('x-stainless-retry-count') ?? '0') !== '0'
      const { signal } = outgoing
      const spanId = newSpanId()
      return { endpoint, url, outgoing, attribution, parent, isGiven, spanId, isRetry, signal }
    } catch (error) {
      reportFault('the fetch anchor', error)
      return null
    }
  }

  #ask(caught: Caught): Promise<Response> {
    const { endpoint, facts, attribution } = caught.start
    const { bodyText } = caught
    let admission: Admission | Promise<Admission> = ADMITTED
    try {
      const values = callValues(attribution, endpoint.provider, facts.model)
      const call = { endpoint, facts, bodyText, attribution, values }
      admission = this.#options.guard.admit({ ...call, isChangeable: isChangeable(caught) })
    } catch (error) {
      reportFault('the guard', error)
    }
    if (!(admission instanceof Promise)) return this.#obey(caught, admission)
    return this.#await(caught, admission)
  }

  /** The call waits for credit. An app that gives up in the meantime hears so at once. */
  #await(caught: Caught, waiting: Promise<Admission>): Promise<Response> {
    const { signal } = caught.outgoing
    let isOver = false
    return new Promise((resolve) => {
      const giveUp = () => {
        isOver = true
        // Aborted, so fetch only says so, in its own words.
        resolve(promised(() => caught.send(caught.args)))
      }
      signal?.addEventListener('abort', giveUp, { once: true })
      const proceed = (admission: Admission) => {
        signal?.removeEventListener('abort', giveUp)
        if (isOver) this.#giveBack(admission)
        else resolve(promised(() => this.#obey(caught, admission)))
      }
      waiting.then(proceed, (error: unknown) => {
        reportFault('the guard', error)
        proceed(ADMITTED)
      })
    })
  }

  #giveBack(admission: Admission): void {
    if (!admission.admit || admission.reservation === null) return
    const nothing = { parts: [], responseModel: null, source: 'provider' } as const
    this.#options.guard.settle(admission.reservation, nothing)
  }

  #obey(caught: Caught, admission: Admission): Promise<Response> {
    const { send, args, start } = caught
    let plan: RequestPlan
    let call: Call
    try {
      if (!admission.admit) return Promise.resolve(this.#refuse(caught, admission))
      this.#privateHeaders.moveToEnd()
      plan = planRequest({ ...caught, cap: admission.verdict.cap }, this.#question)
      call = new Call(start, this.#options, admission)
    } catch (error) {
      reportFault('the fetch anchor', error)
      this.#giveBack(admission)
      return send(args)
    }
    return this.#exchange(caught, plan, call)
  }

  #refuse({ start, outgoing }: Caught, admission: Admission & { admit: false }) {
    const { refusal } = admission
    this.#options.record(refusedCallRecord(start, admission))
    const isStainless = [...outgoing.headers.keys()].some((name) => name.startsWith('x-stainless-'))
    const { body, ...init } = refusalOnWire(refusal, start.endpoint.dialect, isStainless)
    const response = new Response(body, init)
    Object.defineProperty(response, 'url', { value: start.url.href, configurable: true })
    return response
  }

  #exchange(caught: Caught, plan: RequestPlan, call: Call): Promise<Response> {
    let sent: Promise<Response>
    try {
      const place = { traceId: caught.start.parent.traceId, spanId: caught.start.spanId }
      sent = Promise.resolve(this.#options.sendWithin(place, () => caught.send(plan.args)))
    } catch (error) {
      call.failed(error)
      throw error
    }
    return sent.then(
      (response) => this.#receive(caught, plan, call, response),
      (error: unknown) => {
        call.failed(error)
        throw error
      },
    )
  }

  #receive(
    caught: Caught,
    plan: RequestPlan,
    call: Call,
    response: Response,
  ): Response | Promise<Response> {
    try {
      if (!isWebResponse(response)) {
        call.responseUnreadable(null)
        return response
      }
      const { unasked } = plan
      if (unasked !== null && mayBeDeclined(response.status)) {
        const body = startBody(response.body)
        if (body !== null) return this.#tellApart(caught, unasked, call, response, body)
      }
      return observeCall(response, call, unasked !== null)
    } catch (error) {
      reportFault('the response observer', error)
      call.responseUnreadable(response.status)
      return response
    }
  }

  /** Whether it is our question that the host did not like: then the app's own body is sent, as it should have been. */
  async #tellApart(
    caught: Caught,
    unasked: FetchArguments,
    call: Call,
    response: Response,
    body: StartedBody,
  ): Promise<Response> {
    if (!declinesQuestion(await peekText(body))) return observeCall(response, call, false, body)
    this.#question.decline(caught.start.url)
    call.note('include_usage_declined')
    body.reader.cancel().catch(() => {})
    return this.#exchange(caught, { args: unasked, unasked: null }, call)
  }
}

/** What is thrown becomes a rejection. */
function promised(run: () => Promise<Response>): Promise<Response> {
  return new Promise((resolve) => resolve(run()))
}
