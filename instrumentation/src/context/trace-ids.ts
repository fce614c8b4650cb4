/** A place in a trace, under which calls are put. */
export type TraceParent = {
  /** 32 lower-case hex digits. */
  readonly traceId: string
  /** 16 lower-case hex digits. */
  readonly spanId: string
}

const POOL_BYTES = 2048
let pool: Buffer | null = null
let used = POOL_BYTES

/** 32 random hex digits. */
export function newTraceId(): string {
  return randomHex(16)
}

/** 16 random hex digits. */
export function newSpanId(): string {
  return randomHex(8)
}

/**
 * Taken from the system's generator, since a span id that comes up twice makes a call vanish as a duplicate. Crypto is
 * loaded by the first call and not at start-up.
 */
function randomHex(bytes: number): string {
  pool ??= Buffer.allocUnsafeSlow(POOL_BYTES)
  if (used + bytes > POOL_BYTES) {
    process.getBuiltinModule('node:crypto').randomFillSync(pool)
    used = 0
  }
  const hex = pool.toString('hex', used, used + bytes)
  used += bytes
  return /[^0]/.test(hex) ? hex : randomHex(bytes)
}

/** Reads a W3C `traceparent`; `null` where it is none. */
export function parseTraceparent(text: string | undefined): TraceParent | null {
  const match = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}/.exec(text?.trim() ?? '')
  const [, traceId, spanId] = match ?? []
  if (traceId === undefined || spanId === undefined) return null
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null
  return { traceId, spanId }
}
