import type { DeadLetter, Decision, LogEvent, PriceOverride } from '@tokenfuse/protocol'
import type { EventLog } from './port.ts'

/** What a processor that shares its work with others has besides the log. */

export type SpanRecord = {
  /** Such as `kafka:otlp_spans/3@1234`. */
  readonly source: string
  /** An OTLP export request, as protobuf. */
  readonly value: Uint8Array
}

/** Spans as they come in. Each record is handed out at least once, to one of all meters. */
export interface SpanSource {
  /** Whether it has its share of the spans, be it none. */
  readonly isJoined: boolean
  /** Resolves when it was closed; rejects when it cannot go on. */
  readonly ended: Promise<void>
  /**
   * Begins to hand out records, those of one place one after another.
   * @param handle may fail with a retryable error, and is then given the record again; any other failure ends it all,
   *   so that nothing is passed over
   */
  run(handle: (record: SpanRecord) => Promise<void>): Promise<void>
  /** Lets what is in work end. */
  close(): Promise<void>
}

/** Where a meter's work goes. */
export interface MeterSink {
  /**
   * Adds events of any tenant to the log, each tenant's in the order in which they are given. Durable when it
   * resolves.
   * @throws TokenfuseError `log_unavailable` or `overloaded`; some of them may be in the log then
   */
  append(events: readonly LogEvent[]): Promise<void>
  keepDeadLetters(letters: readonly DeadLetter[]): Promise<void>
  close(): Promise<void>
}

/** Prices that a tenant's policy brings before those of the catalogue. */
export type TenantPrices = {
  /** Names them, such as `policy.42`; `null` where there are none. */
  readonly version: string | null
  readonly prices: readonly PriceOverride[]
}

export type PricesOfTenant = {
  readonly tenant: string
  readonly prices: TenantPrices
  /** Whether there was nothing newer when they were read. */
  readonly isNewest: boolean
}

export interface PriceFeed {
  /** Each tenant's prices as they come, the newest last. Ends when it is closed. */
  follow(): AsyncIterable<PricesOfTenant>
  close(): void
}

/** Tells others what the governor says, in the background; each key's newest value reaches them, at least once. */
export interface Announcer {
  decision(decision: Decision): void
  prices(tenant: string, prices: TenantPrices): void
  /**
   * Resolves when all that was told is durable.
   * @throws TokenfuseError `log_unavailable` where that takes too long
   */
  written(): Promise<void>
  close(): Promise<void>
}

export type MeterPorts = {
  readonly source: SpanSource
  readonly sink: MeterSink
  readonly prices: PriceFeed
}

export type GovernorPorts = { readonly log: EventLog; readonly announcer: Announcer }
