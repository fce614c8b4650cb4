export { policySchema } from '@tokenfuse/protocol' // tokenfuse(import-directions)
export { picoUsdFromUsd } from '@tokenfuse/protocol/names'
export { globMatches } from '@tokenfuse/protocol/src/scope.ts' // tokenfuse(import-directions)
export { Governor } from '@tokenfuse/processor' // tokenfuse(import-directions)
export const late = () => import('@tokenfuse/processor') // tokenfuse(import-directions)
export type Late = import('@tokenfuse/processor').Governor // tokenfuse(import-directions)
export * from '../../../protocol/src/scope.ts' // tokenfuse(import-directions)
export { readFileSync } from 'node:fs'
