import type { CreditReport, DeadLetter, UsageEvent } from '@tokenfuse/protocol'
import { FIELD } from './attribute-table.ts'
import { IGNORED_REASONS, type IgnoredReason, ignoredReason } from './billed-call.ts'
import { deadLetterOf } from './dead-letter.ts'
import { boundedName } from './names.ts'
import { guardEndOf } from './guard-end.ts'
import type { MeterOptions } from './options.ts'
import type { SpanBatch } from './span-batch.ts'
import { type Shortened, SpanFields } from './span-fields.ts'
import { identityOf } from './span-identity.ts'
import { usageEventOf } from './usage-event.ts'

export type Metered = {
  /** In the order of their spans. */
  readonly events: readonly UsageEvent[]
  /** Last reports of guards that end; they belong behind the events, since each comes behind its guard's last call. */
  readonly guardEnds: readonly CreditReport[]
  readonly deadLetters: readonly DeadLetter[]
  /** Spans that add nothing, by reason. */
  readonly ignored: Readonly<Record<IgnoredReason, number>>
  /** Names, tags and tool keys cut down to their bounds. */
  readonly shortened: Readonly<Shortened>
  /** Spans that each guard had to drop since it began, as it said last. */
  readonly droppedByAgents: ReadonlyMap<string, number>
}

/**
 * Turns spans into priced usage events, one for each call to a provider. Nothing is repaired: a span that claims what
 * cannot be true becomes a dead letter as a whole, and the others go on.
 */
export function meterSpans(batch: SpanBatch, options: MeterOptions): Metered {
  const fields = new SpanFields(batch)
  const events: UsageEvent[] = []
  const guardEnds: CreditReport[] = []
  const deadLetters: DeadLetter[] = []
  const ignored = Object.fromEntries(IGNORED_REASONS.map((reason) => [reason, 0])) as Record<
    IgnoredReason,
    number
  >
  ignored.not_genai = batch.otherSpans
  for (let span = 0; span < batch.count; span++) {
    fields.load(span)
    const end = guardEndOf(fields, options)
    if (end) {
      guardEnds.push(end)
      continue
    }
    const reason = ignoredReason(fields)
    if (reason !== null) {
      ignored[reason]++
      continue
    }
    const problems: string[] = []
    const identity = identityOf(batch, span, options.nowMs, problems)
    const failed = batch.failed[span] === true
    const event = identity && usageEventOf(fields, identity, failed, options, problems)
    if (event) events.push(event)
    else deadLetters.push(deadLetterOf(batch, span, fields, problems, options))
  }
  const { shortened } = fields
  const dropped = droppedByAgents(batch)
  return { events, guardEnds, deadLetters, ignored, shortened, droppedByAgents: dropped }
}

/** A guard's count only grows, so of several the highest is the last. */
function droppedByAgents(batch: SpanBatch): ReadonlyMap<string, number> {
  const { keys, values, ends } = batch.resourceAttributes
  const dropped = new Map<string, number>()
  let from = 0
  for (const end of ends) {
    let guard = ''
    let count = 0
    for (let i = from; i < end; i++) {
      const value = values[i]
      if (keys[i] === FIELD.guard && typeof value === 'string') guard = boundedName(value)
      else if (keys[i] === FIELD.droppedSpans && isCount(value)) count = value
    }
    if (guard !== '' && count > 0) dropped.set(guard, Math.max(count, dropped.get(guard) ?? 0))
    from = end
  }
  return dropped
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
