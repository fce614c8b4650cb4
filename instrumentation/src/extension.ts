import type { CallRecord } from './telemetry/index.ts'

/** How a guard fares. */
export type GuardHealth = {
  /** Whether it hears the governor. */
  readonly isConnected: boolean
  /** Recorded and not acknowledged yet. */
  readonly waitingSpans: number
  /** Given up since the guard began. */
  readonly droppedSpans: number
}

/** What an OpenTelemetry set-up that comes with the preload wants to know of it. */
export type PreloadExtension = {
  /** Sends the request of a call so that spans made of it hang below the call's own. */
  sendWithin<Result>(call: { traceId: string; spanId: string }, send: () => Result): Result
  /** Hears of each call that is over, or was refused. May throw. */
  recorded(call: CallRecord): void
  /** Told once, before the first call. */
  guardStarted(health: () => GuardHealth): void
}

/** The preload beside whatever the app has. */
export const NO_EXTENSION: PreloadExtension = {
  sendWithin: (_call, send) => send(),
  recorded() {},
  guardStarted() {},
}
