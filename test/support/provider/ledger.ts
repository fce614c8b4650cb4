import type { BilledTokens, Extra } from './bill.ts'
import type { Endpoint } from './call.ts'

export type Outcome =
  /** The whole answer was sent. */
  | 'completed'
  /** The client went away first. */
  | 'aborted'
  /** A fault ended the connection or the stream early. */
  | 'cut'
  /** An error answer, or an error event in the stream. */
  | 'error'

/** What one request was billed. Times are epoch milliseconds with fractions. */
export type LedgerEntry = {
  readonly sequence: number
  readonly requestId: string
  /** null where no response was begun, and for embeddings, which have none. */
  readonly responseId: string | null
  readonly endpoint: Endpoint
  /** The model that answered, or what was asked for where none did. */
  readonly model: string
  readonly serviceTier: string | null
  readonly stream: boolean
  readonly label: string | null
  /** 0 for the first attempt, as the SDKs count retries. */
  readonly attempt: number
  readonly fault: string | null
  readonly startedAt: number
  readonly endedAt: number
  /** null where the connection ended before headers. */
  readonly status: number | null
  readonly outcome: Outcome
  readonly tokens: BilledTokens
  readonly extras: readonly Extra[]
  readonly webSearches: number
  readonly costPicoUsd: string
  /** Whether usage was written to the client. */
  readonly usageSent: boolean
  readonly maxOutputTokens: number | null
  readonly choices: number
  /** Output without the limit; more than `tokens.output` where the limit cut it or the answer broke off. */
  readonly wantedOutput: number
  /** `length` where the limit cut an answer. */
  readonly finish: string | null
}

export type InFlight = Pick<
  LedgerEntry,
  'requestId' | 'endpoint' | 'model' | 'label' | 'startedAt' | 'maxOutputTokens'
> & { readonly inputTokens: number; readonly generatedTokens: number }

export type LedgerSummary = {
  readonly requests: number
  readonly outcomes: Readonly<Record<Outcome, number>>
  readonly inFlight: number
  readonly inFlightMax: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly costPicoUsd: string
}

const MAX_ENTRIES = 1_000_000

/** Every request with its bill, in the order in which they ended. */
export class Ledger {
  #entries: LedgerEntry[] = []
  readonly #inFlight = new Map<string, () => InFlight>()
  #inFlightMax = 0
  #sequence = 0

  /** Whether another request can still be recorded; a stand-in that cannot must not answer. */
  get full(): boolean {
    return this.#entries.length + this.#inFlight.size >= MAX_ENTRIES
  }

  begin(requestId: string, view: () => InFlight): void {
    this.#inFlight.set(requestId, view)
    this.#inFlightMax = Math.max(this.#inFlightMax, this.#inFlight.size)
  }

  end(entry: Omit<LedgerEntry, 'sequence'>): void {
    this.#inFlight.delete(entry.requestId)
    this.#sequence++
    this.#entries.push({ sequence: this.#sequence, ...entry })
  }

  *lines(): Generator<string> {
    for (const entry of this.#entries) yield `${JSON.stringify(entry)}\n`
  }

  inFlight(): InFlight[] {
    return Array.from(this.#inFlight.values(), (view) => view())
  }

  summary(): LedgerSummary {
    const outcomes = { completed: 0, aborted: 0, cut: 0, error: 0 }
    let inputTokens = 0
    let outputTokens = 0
    let cost = 0n
    for (const entry of this.#entries) {
      outcomes[entry.outcome]++
      inputTokens += entry.tokens.input + sum(entry.extras, 'input')
      outputTokens += entry.tokens.output + sum(entry.extras, 'output')
      cost += BigInt(entry.costPicoUsd)
    }
    return {
      requests: this.#entries.length,
      outcomes,
      inFlight: this.#inFlight.size,
      inFlightMax: this.#inFlightMax,
      inputTokens,
      outputTokens,
      costPicoUsd: cost.toString(),
    }
  }

  /** Forgets what has ended; calls in flight are recorded when they end. */
  clear(): void {
    this.#entries = []
    this.#inFlightMax = this.#inFlight.size
  }
}

function sum(extras: readonly Extra[], field: 'input' | 'output'): number {
  return extras.reduce((total, extra) => total + extra[field], 0)
}
