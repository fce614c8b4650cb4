export { Governor } from '@tokenfuse/processor' // tokenfuse(import-directions)
export * from '../../instrumentation/src/index.ts' // tokenfuse(import-directions)
export type { Config } from 'tokenfuse' // tokenfuse(import-directions)
export { z } from 'zod'
