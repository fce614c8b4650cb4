import { readFileSync } from 'fs' // tokenfuse(no-builtin-modules)
import type { Stats } from 'node:fs' // tokenfuse(no-builtin-modules)
export * from '../guard/directions.ts' // tokenfuse(import-directions)
export { policySchema } from '@tokenfuse/protocol' // tokenfuse(import-directions)

export const size = (path: string): Stats['size'] => readFileSync(path).length
export const chance = (): number => Math.random() // eslint(no-restricted-properties)
export const now = (): number => Date.now() // eslint(no-restricted-globals)
export const exactEnough = (value: number): number => Math.log2(value)
