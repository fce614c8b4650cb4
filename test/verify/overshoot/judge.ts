import type { LedgerEntry } from '../../support/provider/client.ts'
import { billedAmount, type Unit, wantedAmount } from './amounts.ts'
import { isGrown, type MadeCall } from './load.ts'

/** What a guard said of a call that it let out. */
export type Verdict = {
  /** Epoch ms. */
  readonly admittedAt: number
  /** The output limit that it put on the wire; `null` where it left the request alone. */
  readonly cap: number | null
}

/** Credit that was neither spent nor anybody else's from the kill on. */
export type LostCredit = {
  /** What was charged for it in the end. */
  readonly held: bigint
  /** What of that was still charged when all that the agent had written down was known. */
  readonly unconfirmed: bigint
  /** When the agent was killed, epoch ms. */
  readonly fromMs: number
}

/** All that is known of a run once it is over. Amounts are in `unit`. */
export type Run = {
  readonly unit: Unit
  readonly limit: bigint
  /** The stand-in's own: what was billed, from when to when. */
  readonly ledger: readonly LedgerEntry[]
  readonly made: readonly MadeCall[]
  /** By response id, of the calls that were metered; `null` where no guard was at work. */
  readonly verdicts: ReadonlyMap<string, Verdict> | null
  /** What a killed agent took with it; `null` where none was killed. */
  readonly lost: LostCredit | null
  /** What the processor says is spent, once all spans have come; `null` where there is none. */
  readonly counted: bigint | null
}

export type Figures = {
  readonly unit: Unit
  readonly limit: bigint
  readonly billed: bigint
  readonly held: bigint
  /** The limit in calls as they were offered. */
  readonly limitInMeanCalls: number
  /** What was asked for, had all of it run as long as it wanted, against the limit. */
  readonly offeredRatio: number
  readonly billedRatio: number
  /** Output tokens beyond the limit on the wire that the guard answers for. */
  readonly outputBeyondBound: number
  readonly answered: number
  readonly refused: number
  /** Refused while what was spent, was in flight (at its final cost) or held was below 98 % of the limit. */
  readonly refusedTooEarly: number
  /** The least that was spent, in flight or held at a refusal, against the limit; `null` without refusals. */
  readonly leastTakenRatio: number | null
  readonly refusedAndBilled: number
  /** Answers that ended at a limit that was not the app's own. */
  readonly truncated: number
  readonly inFlightMax: number
  readonly longestCallMs: number
  /** From asking to the answer or the refusal, as an app saw it. */
  readonly longestWaitMs: number
  readonly failures: readonly string[]
}

const FULL_ENOUGH = 0.98

/** Works out what the ledger says of a run; no clock and no luck are part of it. */
export function judge(run: Run): Figures {
  const { unit, limit, ledger, made } = run
  const labels = new Set(ledger.map(({ label }) => label))
  const refused = made.filter(({ outcome }) => outcome === 'refused')
  const taken = refused.map(({ endedAt }) => ratio(takenAt(run, endedAt), limit))
  const billed = sum(ledger.map((entry) => billedAmount(entry, unit)))
  const wanted = offered(run, refused)
  return {
    unit,
    limit,
    billed,
    held: run.lost?.held ?? 0n,
    limitInMeanCalls: (Number(limit) / wanted) * (ledger.length + refused.length),
    offeredRatio: wanted / Number(limit),
    billedRatio: ratio(billed, limit),
    outputBeyondBound: ledger.reduce((total, entry) => total + beyondBound(entry, run), 0),
    answered: made.filter(({ outcome }) => outcome === 'answered').length,
    refused: refused.length,
    refusedTooEarly: taken.filter((share) => share < FULL_ENOUGH).length,
    leastTakenRatio: taken.length === 0 ? null : Math.min(...taken),
    refusedAndBilled: refused.filter(({ label }) => labels.has(label)).length,
    truncated: ledger.filter((entry) => isTruncated(entry, run)).length,
    inFlightMax: mostAtOnce(ledger),
    longestCallMs: Math.max(0, ...ledger.map(({ startedAt, endedAt }) => endedAt - startedAt)),
    longestWaitMs: Math.max(0, ...made.map(({ startedAt, endedAt }) => endedAt - startedAt)),
    failures: failuresOf(made, labels),
  }
}

/** Spent by then, the final cost of what was under way then, and what nobody may spend. */
function takenAt(run: Run, atMs: number): bigint {
  const lost = run.lost !== null && run.lost.fromMs <= atMs ? run.lost : null
  const begun = run.ledger.filter(
    (entry) => begunAt(entry, run) <= atMs && (lost === null || isMetered(entry, run)),
  )
  return sum(begun.map((entry) => billedAmount(entry, run.unit))) + (lost?.unconfirmed ?? 0n)
}

/** A call is under way as soon as it was let out, though the stand-in may see it later. */
function begunAt(entry: LedgerEntry, { verdicts, made }: Run): number {
  if (!verdicts) {
    const call = made.find(({ label }) => label === entry.label)
    return Math.min(entry.startedAt, call?.startedAt ?? Infinity)
  }
  return Math.min(entry.startedAt, verdictOf(entry, verdicts)?.admittedAt ?? Infinity)
}

/** What a killed agent spent and could not tell is in what was charged for it. */
function isMetered(entry: LedgerEntry, { verdicts }: Run): boolean {
  return verdictOf(entry, verdicts) !== undefined
}

function verdictOf({ responseId }: LedgerEntry, verdicts: Run['verdicts']): Verdict | undefined {
  return responseId === null ? undefined : verdicts?.get(responseId)
}

/** Refused calls are taken to be as long as those that ran, the later ones as the later ones. */
function offered({ ledger, unit }: Run, refused: readonly MadeCall[]): number {
  const wantedOf = (entries: readonly LedgerEntry[]) =>
    Number(sum(entries.map((entry) => wantedAmount(entry, unit))))
  const meanOf = (entries: readonly LedgerEntry[]) => wantedOf(entries) / entries.length
  const means = [false, true].map((grown) => {
    const like = ledger.filter(({ label }) => isGrown(label) === grown)
    return meanOf(like.length > 0 ? like : ledger)
  })
  const missed = refused.map(({ label }) => means[Number(isGrown(label))] ?? 0)
  return wantedOf(ledger) + missed.reduce((a, b) => a + b, 0)
}

/** The bound is what the guard put on the wire, or left there; the ledger knows what came over it. */
function beyondBound(entry: LedgerEntry, { verdicts }: Run): number {
  const cap = verdictOf(entry, verdicts)?.cap ?? null
  const bounds = [cap, entry.maxOutputTokens].filter((bound) => bound !== null)
  const bound = bounds.length === 0 ? Infinity : Math.min(...bounds) * Math.max(1, entry.choices)
  return Math.max(0, entry.tokens.output - bound)
}

function isTruncated(entry: LedgerEntry, { verdicts }: Run): boolean {
  const cap = verdictOf(entry, verdicts)?.cap ?? null
  return cap !== null && entry.finish === 'length' && entry.outcome === 'completed'
}

function mostAtOnce(ledger: readonly LedgerEntry[]): number {
  const changes = ledger
    .flatMap(({ startedAt, endedAt }) => [
      { atMs: startedAt, change: 1 },
      { atMs: endedAt, change: -1 },
    ])
    .toSorted((a, b) => a.atMs - b.atMs)
  let now = 0
  return changes.reduce((most, { change }) => Math.max(most, (now += change)), 0)
}

function failuresOf(made: readonly MadeCall[], labels: ReadonlySet<string | null>): string[] {
  return made.flatMap(({ label, outcome, error }) => {
    if (outcome === 'failed') return [`${label}: ${error}`]
    const isMissing = outcome === 'answered' && !labels.has(label)
    return isMissing ? [`${label}: answered, though the stand-in never saw it`] : []
  })
}

const sum = (amounts: readonly bigint[]) => amounts.reduce((a, b) => a + b, 0n)
const ratio = (amount: bigint, limit: bigint) => Number(amount) / Number(limit)
