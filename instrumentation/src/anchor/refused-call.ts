import type { UsagePart } from '@tokenfuse/protocol/names'
import type { Admission } from '../guard/guard.ts'
import type { CallRecord } from '../telemetry/call-record.ts'
import { describeStart } from './call-start.ts'
import type { CallStart } from './call-start.ts'

/** It reached nobody, so what it cost is known: nothing. */
const NOTHING_BILLED: UsagePart = {
  part: 'message',
  model: null,
  tokens: { input: 0, cacheRead: 0, cacheWrite: 0, cacheWrite1h: 0, output: 0, reasoning: 0 },
  webSearches: 0,
}

/** The record of a call that was refused before any byte of it left. */
export function refusedCallRecord(
  start: CallStart,
  { refusal, verdict, refusedAtMs }: Admission & { readonly admit: false },
): CallRecord {
  const { action, reason, decisionId, budget } = refusal
  const nowMs = refusedAtMs ?? Date.now()
  return {
    ...describeStart(start),
    startTimeMs: nowMs,
    endTimeMs: nowMs,
    responseModel: null,
    responseId: null,
    serviceTier: null,
    finishReasons: [],
    parts: [NOTHING_BILLED],
    source: 'provider',
    systemTokens: null,
    problems: [],
    error: 'budget_exceeded',
    statusCode: null,
    toolCallKeys: [],
    toolResultKeys: [],
    verdict,
    decision: { id: decisionId, action, reason, budget },
  }
}
