import { idToHex } from './ids.ts'
import { isoTime } from './iso-time.ts'
import { ID_PARTS, ID_WORDS, type SpanBatch } from './span-batch.ts'

/** A clock that is wrong by more than this is no clock. */
const MAX_AHEAD_MS = 24 * 3_600_000

export type SpanIdentity = {
  readonly time: string
  /** Whole ms since 1970. */
  readonly timeMs: number
  /** To the microsecond. */
  readonly durationMs: number
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | null
}

/** Lower-case hex; `null` where the span has no such id. */
export function spanIds(batch: SpanBatch, span: number) {
  const id = ({ from, words }: { from: number; words: number }) =>
    idToHex(batch.ids, span * ID_WORDS + from, words)
  return {
    traceId: id(ID_PARTS.trace),
    spanId: id(ID_PARTS.span),
    parentSpanId: id(ID_PARTS.parent),
  }
}

/**
 * Which span it is and when it was.
 * @param problems whatever cannot be true is added here; then there is no identity
 */
export function identityOf(
  batch: SpanBatch,
  span: number,
  nowMs: number,
  problems: string[],
): SpanIdentity | null {
  const { traceId, spanId, parentSpanId } = spanIds(batch, span)
  const timeMs = batch.startTimesMs[span] as number
  const durationMs = batch.durationsMs[span] as number
  const fault = batch.faults.get(span)
  if (fault !== undefined) problems.push(fault)
  if (traceId === null && fault === undefined) problems.push('it has no trace id')
  if (spanId === null && fault === undefined) problems.push('it has no span id')
  if (timeMs === 0) problems.push('it has no start time')
  if (durationMs < 0) problems.push('it ends before it starts')
  if (Math.max(timeMs, timeMs + durationMs) > nowMs + MAX_AHEAD_MS) {
    problems.push('it is more than 24 h ahead of the time at which it came')
  }
  if (problems.length > 0 || traceId === null || spanId === null) return null
  return {
    time: isoTime(timeMs),
    timeMs,
    durationMs: Math.round(durationMs * 1000) / 1000,
    traceId,
    spanId,
    parentSpanId,
  }
}
