export type { Attribution, CallDecision, CallRecord } from './call-record.ts'
export { createTelemetry } from './telemetry.ts'
export type { Telemetry, TelemetrySettings, TelemetryStats } from './telemetry.ts'
