import {
  type AccountReport,
  CREDIT_TTL_MS,
  CRITICALITIES,
  type CreditAnswer,
  type CreditReport,
  type CreditRequest,
} from '@tokenfuse/protocol/names'
import type { Now } from './ask.ts'
import type { CreditBook } from './credit-book.ts'
import { type GuardAccount, idle } from './guard-account.ts'

const MAX_ACCOUNTS_A_REPORT = 500
/** What changed without anyone waiting for it may be told together. */
const LAZY_MS = 1_000
/** Credit for the next calls is asked for this soon after the last report. */
const RENEW_MS = 50
const HEARTBEAT_MS = CREDIT_TTL_MS / 3
/** While a call waits its need is told again: what it was lent, or what others were asked back, may have got lost. */
const STILL_WAITING_MS = 2_000
const RETRY_MS = 500
const REOPEN_MS = 20

/** A report that waits for its answer. */
type Sent = {
  readonly sequence: number
  readonly sentMs: number
  readonly accounts: ReadonlyMap<GuardAccount, { readonly need: bigint }>
}

/** When to report what of a guard's credit. One report is under way at a time; the next one says what came since. */
export class CreditReports {
  readonly #book: CreditBook
  readonly #guard: string
  readonly #tenant: string
  #sequence = 0
  #sent: Sent | null = null
  #lastSentMs = Number.NEGATIVE_INFINITY
  #retryAtMs = 0

  constructor(book: CreditBook, guard: string, tenant: string) {
    this.#book = book
    this.#guard = guard
    this.#tenant = tenant
  }

  /** The report that is due, or `null`. */
  next(now: Now): CreditRequest | null {
    if (this.#sent || now.elapsedMs < this.#retryAtMs) return null
    this.#book.tidy(now)
    if (!this.#isDue(now)) return null
    return this.#make(now, false)
  }

  /** The last report of a guard that ends. */
  closing(now: Now): CreditRequest {
    this.#book.credit.giveBackAll()
    return this.#make(now, true)
  }

  #isDue(now: Now): boolean {
    const { accounts, ended, openings } = this.#book.credit
    if (openings.size > 0 || this.#book.profiles.isAnyWanted || this.#book.wantsAnswer) return true
    const sinceMs = now.elapsedMs - this.#lastSentMs
    if (ended.size > 0 && sinceMs >= LAZY_MS) return true
    for (const account of accounts) {
      if (isUrgent(account, now)) return true
      if (sinceMs >= RENEW_MS && account.want > idle(account)) return true
      if (sinceMs >= LAZY_MS && account.changed) return true
      if (sinceMs >= HEARTBEAT_MS && (idle(account) > 0n || account.reserved > 0n)) return true
    }
    return false
  }

  #make(now: Now, closing: boolean): CreditRequest {
    const { accounts, ended, openings } = this.#book.credit
    const included = new Map<GuardAccount, { need: bigint }>()
    const reports: AccountReport[] = []
    for (const account of [...ended, ...accounts]) {
      if (reports.length >= MAX_ACCOUNTS_A_REPORT) break
      if (!closing && !isWorthTelling(account, ended.has(account))) continue
      included.set(account, { need: account.need })
      account.reportedNeed = account.need
      account.reportedRank = account.rank
      account.changed = false
      reports.push(reportOf(account))
    }
    for (const opening of openings.values()) {
      if (closing || reports.length >= MAX_ACCOUNTS_A_REPORT) break
      reports.push(openingReport(opening))
    }
    const sequence = ++this.#sequence
    this.#sent = { sequence, sentMs: now.elapsedMs, accounts: included }
    this.#lastSentMs = now.elapsedMs
    const report: CreditReport = {
      type: 'credit.report',
      v: 1,
      tenant: this.#tenant,
      guard: this.#guard,
      sequence,
      closing,
      accounts: reports,
    }
    return { report, profiles: this.#book.profiles.toAsk(MAX_ACCOUNTS_A_REPORT) }
  }

  onAnswer(answer: CreditAnswer, now: Now): void {
    const sent = this.#sent
    if (!sent || answer.sequence !== sent.sequence) return
    this.#sent = null
    for (const [account, { need }] of sent.accounts) {
      account.answeredNeed = need
      this.#book.credit.forgetEnded(account)
    }
    this.#book.onAnswered(sent.sentMs)
    this.#book.profiles.learn(answer.profiles)
    this.#book.credit.onAccounts(answer.accounts, answer.offset, now)
    // The governor's window may not have begun yet, or it knows another policy: it would say the same again.
    if (this.#book.credit.openings.size > 0) this.#retryAtMs = now.elapsedMs + REOPEN_MS
  }

  onFailure(now: Now): void {
    for (const account of this.#sent?.accounts.keys() ?? []) account.changed = true
    this.#sent = null
    this.#retryAtMs = now.elapsedMs + RETRY_MS
  }

  /** `elapsedMs` at which to look again, if nothing happens before. */
  dueMs(now: Now): number | null {
    if (this.#sent) return null
    const { accounts, ended, openings } = this.#book.credit
    if (openings.size > 0 || this.#book.profiles.isAnyWanted || this.#book.wantsAnswer) {
      return Math.max(now.elapsedMs, this.#retryAtMs)
    }
    let due = ended.size > 0 ? this.#lastSentMs + LAZY_MS : Number.POSITIVE_INFINITY
    for (const account of accounts) {
      if (isUrgent(account, now)) return Math.max(now.elapsedMs, this.#retryAtMs)
      if (account.changed) due = Math.min(due, this.#lastSentMs + LAZY_MS)
      if (account.want > idle(account) && account.need === 0n) {
        due = Math.min(due, this.#lastSentMs + RENEW_MS)
      }
      if (account.need > idle(account)) due = Math.min(due, this.#lastSentMs + STILL_WAITING_MS)
      if (idle(account) > 0n || account.reserved > 0n) {
        due = Math.min(due, this.#lastSentMs + HEARTBEAT_MS)
      }
    }
    return due === Number.POSITIVE_INFINITY ? null : Math.max(due, this.#retryAtMs)
  }
}

/** A call waits for what the governor was not asked for yet, or others wait for what became idle. */
function isUrgent(account: GuardAccount, now: Now): boolean {
  const isTold = account.need === account.reportedNeed && account.rank === account.reportedRank
  if (account.need > idle(account) && !isTold) return true
  return account.changed && now.elapsedMs < account.scarceUntilMs
}

function isWorthTelling(account: GuardAccount, ended: boolean): boolean {
  return (
    ended ||
    account.changed ||
    account.need > 0n ||
    account.want > 0n ||
    account.reserved > 0n ||
    idle(account) > 0n
  )
}

function reportOf(account: GuardAccount): AccountReport {
  const want = account.want > account.need ? account.want : account.need
  return {
    budget: account.budget,
    scope: account.scope,
    windowFromMs: account.windowFromMs,
    since: account.since,
    used: String(account.used),
    reserved: String(account.reserved),
    returned: String(account.returned),
    need: String(account.need),
    want: String(want),
    criticality: CRITICALITIES[account.rank] ?? 'normal',
  }
}

function openingReport(opening: {
  budget: string
  scope: string
  need: bigint
  want: bigint
  rank: number
}): AccountReport {
  return {
    budget: opening.budget,
    scope: opening.scope,
    windowFromMs: null,
    since: null,
    used: '0',
    reserved: '0',
    returned: '0',
    need: String(opening.need),
    want: String(opening.want),
    criticality: CRITICALITIES[opening.rank] ?? 'normal',
  }
}
