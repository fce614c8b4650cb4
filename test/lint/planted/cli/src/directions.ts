export { createTelemetry } from '@tokenfuse/instrumentation' // tokenfuse(import-directions)
export { inspectResponse } from '@tokenfuse/instrumentation/providers'
export { startProcessor } from '@tokenfuse/processor'
export { parsePolicy } from '@tokenfuse/protocol'
export * from '../../processor/src/api/fine.ts' // tokenfuse(import-directions)
