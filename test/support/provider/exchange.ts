import { type Bill, NO_TOKENS } from './bill.ts'
import type { Call, Endpoint } from './call.ts'
import type { InFlight, Outcome } from './ledger.ts'
import type { Reply } from './reply.ts'
import type { Wishes } from './request.ts'
import type { Progress } from './send.ts'
import type { StandIn } from './stand-in.ts'
import type { Wire } from './wire.ts'

/** One request from its first byte to its line in the ledger. Fields fill up as it goes on. */
export type Exchange = {
  readonly standIn: StandIn
  readonly endpoint: Endpoint
  readonly requestId: string
  readonly startedAt: number
  readonly wire: Wire
  readonly progress: Progress
  wishes: Wishes | null
  label: string | null
  /** As asked for, until a response names its own. */
  model: string
  call: Call | null
  reply: Reply | null
  bill: Bill | null
  faultText: string | null
}

/** Epoch milliseconds with fractions, comparable between processes. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now()
}

export function viewInFlight(exchange: Exchange): InFlight {
  return {
    requestId: exchange.requestId,
    endpoint: exchange.endpoint,
    model: exchange.bill?.modelId ?? exchange.model,
    label: exchange.label,
    startedAt: exchange.startedAt,
    maxOutputTokens: exchange.call?.maxOutputTokens ?? null,
    inputTokens: exchange.bill?.tokens.input ?? 0,
    generatedTokens: exchange.progress.generatedTokens,
  }
}

/** Closes the bill over what was generated and writes the request into the ledger. */
export function record(exchange: Exchange, outcome: Outcome): void {
  const { bill, reply, call, progress, standIn } = exchange
  const choices = reply?.plan.choices ?? []
  const begun = progress.status === 200
  const cut = choices.some((choice) => choice.finish === 'length')
  if (bill) bill.close(progress.generatedTokens, reply?.tokens.reasoning ?? 0)
  standIn.ledger.end({
    requestId: exchange.requestId,
    responseId: begun && !call?.embedding ? (reply?.responseId ?? null) : null,
    endpoint: exchange.endpoint,
    model: bill?.modelId ?? exchange.model,
    serviceTier: call?.serviceTier ?? null,
    stream: call?.stream ?? false,
    label: exchange.label,
    attempt: exchange.wishes?.attempt ?? 0,
    fault: exchange.faultText,
    startedAt: exchange.startedAt,
    endedAt: nowMs(),
    status: progress.status,
    outcome,
    tokens: bill?.tokens ?? NO_TOKENS,
    extras: bill?.extras ?? [],
    webSearches: bill?.webSearches ?? 0,
    costPicoUsd: (bill?.cost() ?? 0n).toString(),
    usageSent: progress.usageSent,
    maxOutputTokens: call?.maxOutputTokens ?? null,
    choices: call?.choices ?? 0,
    wantedOutput: reply?.plan.wantedTokens ?? 0,
    finish: cut ? 'length' : (choices[0]?.finish ?? null),
  })
}
