import type { UsageEvent } from '@tokenfuse/protocol'
import type { LedgerEntry } from '../../support/provider/client.ts'
import { differences } from './differences.ts'

/** A request as the stand-in billed it, and as it was metered; one of them may be missing. */
export type Pair = { readonly entry: LedgerEntry | null; readonly event: UsageEvent | null }

export type Verdict =
  /** To the token and the pico-USD. */
  | 'equal'
  /** Billed without usage having been sent: the meter's figure rests on what was seen, and says so. */
  | 'estimated'
  /** Nothing was billed and nothing was metered. */
  | 'free'
  | 'mismatched'

export type Judged = Pair & {
  readonly label: string
  readonly verdict: Verdict
  /** What is not as it should be, each `what: billed B, metered M`. */
  readonly problems: readonly string[]
}

/** The tag that carries a call's label through the meter. */
export const LABEL_TAG = 'call'

/** Holds every request of the ledger against what was metered of it, and the other way round. */
export function compare(entries: readonly LedgerEntry[], events: readonly UsageEvent[]): Judged[] {
  const entriesByLabel = Map.groupBy(entries, (entry) => entry.label ?? '')
  const eventsByLabel = Map.groupBy(events, (event) => event.tags[LABEL_TAG] ?? '')
  const labels = new Set([...entriesByLabel.keys(), ...eventsByLabel.keys()])
  return [...labels].flatMap((label) =>
    pairUp(entriesByLabel.get(label) ?? [], eventsByLabel.get(label) ?? []).map((pair) => ({
      ...pair,
      label,
      ...judge(pair),
    })),
  )
}

/**
 * By response id where there is one; what is left of a label in the order of its attempts, billed ones first, since
 * an attempt that was refused may leave no trace of its own in the meter.
 */
function pairUp(entries: readonly LedgerEntry[], events: readonly UsageEvent[]): Pair[] {
  const left = new Set(events)
  const pairs: Pair[] = []
  const take = (entry: LedgerEntry, event: UsageEvent | undefined): boolean => {
    if (!event) return false
    left.delete(event)
    pairs.push({ entry, event })
    return true
  }
  const unnamed = entries.filter((entry) => {
    const named = events.find(
      (event) => entry.responseId !== null && event.responseId === entry.responseId,
    )
    return !take(entry, named)
  })
  const billedFirst = unnamed.toSorted((a, b) => Number(isBilled(b)) - Number(isBilled(a)))
  for (const entry of billedFirst) {
    const unnamedLeft = [...left].filter((event) => event.responseId === null)
    const fitting = unnamedLeft.find((event) => isMetered(event) === isBilled(entry))
    if (!take(entry, fitting ?? unnamedLeft[0])) pairs.push({ entry, event: null })
  }
  for (const event of left) pairs.push({ entry: null, event })
  return pairs
}

function isBilled(entry: LedgerEntry): boolean {
  return entry.costPicoUsd !== '0'
}

function isMetered(event: UsageEvent): boolean {
  return event.costPicoUsd !== '0' || (event.tokens.input ?? 0) > 0
}

function judge({ entry, event }: Pair): { verdict: Verdict; problems: string[] } {
  const billed = entry !== null && isBilled(entry)
  const metered = event !== null && isMetered(event)
  if (!billed && !metered) return { verdict: 'free', problems: [] }
  // Whether a provider bills a request whose connection broke before an answer, no client can know.
  const unanswered = entry !== null && entry.status === null
  if (unanswered && event && isLabelled(event)) return { verdict: 'estimated', problems: [] }
  if (!entry || !billed) {
    const cost = event?.costPicoUsd ?? '0'
    return mismatched(`metered at ${cost} pico-USD (${event?.source}) but never billed`)
  }
  if (!event || !metered)
    return mismatched(`billed at ${entry.costPicoUsd} pico-USD but not metered`)
  if (!entry.usageSent) {
    if (isLabelled(event)) return { verdict: 'estimated', problems: [] }
    return mismatched(`source: no usage was sent, metered as ${event.source}`)
  }
  const problems = differences(entry, event)
  return { verdict: problems.length === 0 ? 'equal' : 'mismatched', problems }
}

function isLabelled(event: UsageEvent): boolean {
  return event.source === 'estimate' || event.source === 'partial'
}

function mismatched(problem: string): { verdict: Verdict; problems: string[] } {
  return { verdict: 'mismatched', problems: [problem] }
}
