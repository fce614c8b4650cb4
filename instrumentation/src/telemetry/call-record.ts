import type {
  Caller,
  Criticality,
  UsagePart,
  UsageSource,
  Verdict,
} from '@tokenfuse/protocol/names'

/** Who makes a call and what for. A name that nobody gave is the literal `unknown`, never the empty text. */
export type Attribution = {
  readonly agent: string
  readonly task: string
  readonly user: string
  readonly session: string
  readonly tenant: string
  readonly service: string
  readonly taskType: string | null
  readonly stepIndex: number | null
  readonly stepName: string | null
  readonly difficulty: string | null
  readonly criticality: Criticality
  /** For whom the agent works, outermost first; absent for nobody. */
  readonly callers?: readonly Caller[] | undefined
  readonly tags: Readonly<Record<string, string>>
}

/** The decision that changed or refused a call. */
export type CallDecision = {
  readonly id: string
  readonly action: string
  readonly reason: string
  readonly budget: string | null
}

/**
 * Everything that is told of one call once it is over, or was refused. It holds no prompt, no completion, no tool
 * argument and no key: what is not in here cannot leave the process.
 */
export type CallRecord = {
  /** 32 and 16 lower-case hex digits. */
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | null
  /** ms since 1970, may have a fraction. */
  readonly startTimeMs: number
  readonly endTimeMs: number

  readonly attribution: Attribution

  readonly provider: string
  readonly operation: string
  /** The model on the wire; `originalModel` is what the app asked for where that was changed. */
  readonly requestModel: string
  readonly originalModel: string | null
  readonly responseModel: string | null
  readonly responseId: string | null
  readonly serviceTier: string | null
  readonly stream: boolean
  /** The output limit on the wire. */
  readonly maxOutputTokens: number | null
  readonly finishReasons: readonly string[]

  /** What the response billed; empty where nothing is known of it. */
  readonly parts: readonly UsagePart[]
  readonly source: UsageSource
  /** Of the input tokens, those of the system prompt, as estimated; `null` where nothing is known. */
  readonly systemTokens: number | null
  /** Stable snake_case codes of what was odd about the usage. */
  readonly problems: readonly string[]

  /** The provider's error type, or what became of the call; `null` where it went well. */
  readonly error: string | null
  readonly statusCode: number | null
  readonly serverAddress: string
  readonly serverPort: number

  /** Keyed hashes. */
  readonly toolCallKeys: readonly string[]
  readonly toolResultKeys: readonly string[]

  readonly verdict: Verdict | null
  readonly decision: CallDecision | null
}
