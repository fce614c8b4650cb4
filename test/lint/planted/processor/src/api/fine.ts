import { readFileSync } from 'node:fs'

export { usageEventSchema } from '@tokenfuse/protocol'
export { createTelemetry } from '@tokenfuse/instrumentation' // tokenfuse(import-directions)
export { meterSpans } from '../meter/clean.ts'
export const now = (): number => Date.now() + Math.log(readFileSync('x').length)
