import type { UsageEvent } from '@tokenfuse/protocol'
import { hashOnto, type IdHash } from './id-hash.ts'

/** What a call is known by: its span, the span around it, and the provider's answer. */
export class CallIds {
  readonly span: IdHash = { a: 0, b: 0, c: 0, d: 0 }
  /** Holds only where the call has a parent. */
  readonly parent: IdHash = { a: 0, b: 0, c: 0, d: 0 }
  /** Holds only where the call has a response id. */
  readonly response: IdHash = { a: 0, b: 0, c: 0, d: 0 }

  load({ tenant, traceId, spanId, parentSpanId, provider, responseId }: UsageEvent): void {
    const { span, parent, response } = this
    copy(NOTHING, span)
    hashOnto(span, tenant)
    copy(span, response)
    hashOnto(span, traceId)
    copy(span, parent)
    hashOnto(span, spanId)
    if (parentSpanId !== null) hashOnto(parent, parentSpanId)
    if (responseId !== null) {
      hashOnto(response, provider)
      hashOnto(response, responseId)
    }
  }
}

const NOTHING: Readonly<IdHash> = Object.freeze({ a: 0, b: 0, c: 0, d: 0 })

function copy({ a, b, c, d }: Readonly<IdHash>, to: IdHash): void {
  to.a = a
  to.b = b
  to.c = c
  to.d = d
}
