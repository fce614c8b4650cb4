import { parsePolicy, zoneOffsets } from '@tokenfuse/protocol' // eslint(no-restricted-imports) eslint(no-restricted-imports)
import { decodeTraces } from '../meter/impure.ts' // tokenfuse(import-directions)

export const impure = [parsePolicy, zoneOffsets, decodeTraces]
export const smooth = (x: number) => Math.exp(x) // tokenfuse(exact-math)
export const power = (x: number) => x ** 2 // tokenfuse(exact-math)
export const chance = () => Math.random() // tokenfuse(exact-math) eslint(no-restricted-properties)
export const computed = (name: 'log') => Math[name](2) // tokenfuse(exact-math)
const { log } = Math // tokenfuse(exact-math)
export const aliased = log(2)
export const exact = (x: number) => Math.floor(Math.sqrt(Math.max(x, 1)))
export const whole = (digits: bigint) => 10n ** digits
