import { sumOfTokens } from '@tokenfuse/protocol/names'
import { estimateRequest, heuristicEstimate } from '../estimate/estimate.ts'
import type { Estimate, EstimateRequest } from '../estimate/estimate.ts'
import { systemTokens } from '../estimate/system-tokens.ts'
import type { Estimator } from '../estimate/estimator.ts'
import type { Admission, Guard } from '../guard/guard.ts'
import { reportFault } from '../log.ts'
import { createResponseReader } from '../providers/index.ts'
import type { EndReason, ResponseFacts, ResponseReader } from '../providers/index.ts'
import type { CallRecord } from '../telemetry/call-record.ts'
import { NO_TOOL_KEYS } from '../tools/tool-keys.ts'
import type { ToolHasher, ToolKeys } from '../tools/tool-keys.ts'
import { describeStart } from './call-start.ts'
import type { CallStart } from './call-start.ts'
import { completeUsage } from './completed-usage.ts'
import type { Ending } from './ending.ts'
import { failureEnding } from './ending.ts'
import type { LiveCalls, UnfinishedCall } from './live-calls.ts'
import { settle } from './settlement.ts'
import type { Settlement } from './settlement.ts'

export type CallServices = {
  readonly guard: Guard
  readonly estimator: Estimator
  readonly toolHasher: ToolHasher
  readonly liveCalls: LiveCalls
  /** Never throws. */
  readonly record: (call: CallRecord) => void
}

/** One call on the wire, from before it goes out until it is recorded, which happens once whatever comes. */
export class Call implements UnfinishedCall {
  readonly #start: CallStart
  readonly #services: CallServices
  readonly #admission: Admission & { readonly admit: true }
  readonly #startTimeMs: number
  readonly #startMs = performance.now()
  readonly #problems: string[] = []
  #toolKeys: ToolKeys | null = null
  #response: { readonly statusCode: number; readonly reader: ResponseReader } | null = null
  #ended: { readonly ending: Ending; readonly atMs: number } | null = null
  #recorded = false

  constructor(
    start: CallStart,
    services: CallServices,
    admission: Admission & { readonly admit: true },
  ) {
    this.#start = start
    this.#services = services
    this.#admission = admission
    this.#startTimeMs = admission.admittedAtMs ?? Date.now()
    services.liveCalls.add(this)
    // Hashing takes its time only after the request has left.
    if (this.#carriesTools()) setImmediate(() => this.#keys()).unref()
  }

  /** Something odd that happened on the way, as a problem code. */
  note(problem: string): void {
    this.#problems.push(problem)
  }

  responseArrived(statusCode: number, contentType: string): ResponseReader {
    const reader = createResponseReader(this.#start.endpoint, contentType)
    this.#response = { statusCode, reader }
    return reader
  }

  responseEnded(reason: EndReason): void {
    const response = this.#response
    if (response === null || this.#ended !== null) return
    const { statusCode, reader } = response
    let facts: ResponseFacts | null = null
    try {
      facts = reader.end(reason)
    } catch (error) {
      reportFault('the response reader', error)
    }
    const isAborted = reason === 'failed' && this.#start.signal?.aborted === true
    this.#end({ kind: 'response', statusCode, facts, reason: isAborted ? 'aborted' : reason })
  }

  responseUnreadable(statusCode: number | null): void {
    this.#end({ kind: 'response', statusCode, facts: null, reason: 'complete' })
  }

  failed(error: unknown): void {
    this.#end(failureEnding(error, this.#start.signal?.aborted))
  }

  finishNow(): void {
    if (this.#ended === null) {
      if (this.#response !== null) this.responseEnded('aborted')
      else this.#end({ kind: 'no_response', error: 'process_exit', wasSent: true })
    }
    const ended = this.#ended as { readonly ending: Ending } | null
    if (this.#recorded || ended === null) return
    // An estimate is under way that will not come in time.
    const settlement = settle(ended.ending)
    this.#record(settlement, heuristicEstimate(this.#question(settlement, ended.ending)))
  }

  #end(ending: Ending): void {
    if (this.#ended !== null) return
    this.#ended = { ending, atMs: performance.now() }
    try {
      const settlement = settle(ending)
      if (settlement.estimate === 'nothing') this.#record(settlement, null)
      else {
        this.#services.estimator.estimate(this.#question(settlement, ending), (estimate) => {
          this.#record(settlement, estimate)
        })
      }
    } catch (error) {
      reportFault('settling a call', error)
    }
  }

  #question({ estimate }: Settlement, ending: Ending): EstimateRequest {
    const { endpoint, facts } = this.#start
    const seen = ending.kind === 'response' ? (ending.facts?.outputText ?? '') : ''
    // Nothing seen is not the same as nothing written.
    const output = estimate !== 'input' && seen !== '' ? seen : null
    const body = estimate === 'output' ? null : facts.body
    return estimateRequest(facts.model, endpoint.dialect, body, output)
  }

  #record(settlement: Settlement, estimate: Estimate | null): void {
    if (this.#recorded) return
    this.#recorded = true
    this.#services.liveCalls.delete(this)
    try {
      const record = this.#toRecord(settlement, estimate)
      this.#services.record(record)
      const { reservation } = this.#admission
      if (reservation !== null) this.#services.guard.settle(reservation, record)
    } catch (error) {
      reportFault('recording a call', error)
    }
  }

  #toRecord(settlement: Settlement, estimate: Estimate | null): CallRecord {
    const ending = this.#ended?.ending
    const response = ending?.kind === 'response' ? ending : null
    const keys = this.#keys()
    const usage = estimate === null ? settlement : completeUsage(settlement, estimate)
    return {
      ...describeStart(this.#start),
      startTimeMs: this.#startTimeMs,
      endTimeMs: this.#startTimeMs + (this.#ended?.atMs ?? performance.now()) - this.#startMs,
      responseModel: response?.facts?.responseModel ?? null,
      responseId: response?.facts?.responseId ?? null,
      serviceTier: response?.facts?.serviceTier ?? null,
      finishReasons: response?.facts?.finishReasons ?? [],
      parts: usage.parts,
      source: usage.source,
      systemTokens: this.#systemTokens(usage.parts),
      problems: [...usage.problems, ...this.#problems],
      error: settlement.error,
      statusCode: response?.statusCode ?? null,
      toolCallKeys: keys.calls,
      toolResultKeys: keys.results,
      verdict: this.#admission.verdict,
      decision: null,
    }
  }

  #systemTokens(parts: CallRecord['parts']): number | null {
    const { facts, bodyLength } = this.#start
    return systemTokens({ body: facts.body, bodyLength }, sumOfTokens(parts).input)
  }

  #carriesTools(): boolean {
    const { facts, isRetry } = this.#start
    return !isRetry && (facts.toolCalls.length > 0 || facts.toolResults.length > 0)
  }

  #keys(): ToolKeys {
    if (this.#toolKeys !== null) return this.#toolKeys
    this.#toolKeys = NO_TOOL_KEYS
    if (!this.#carriesTools()) return this.#toolKeys
    try {
      this.#toolKeys = this.#services.toolHasher(this.#start.endpoint, this.#start.facts)
    } catch (error) {
      reportFault('hashing tool calls', error)
    }
    return this.#toolKeys
  }
}
