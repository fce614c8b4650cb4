import { randomBytes } from 'node:crypto'

// Random per process, so that two stand-ins never give the same id.
const run = randomBytes(9).toString('base64url').replaceAll('-', '0').replaceAll('_', '1')
let count = 0

/** An id like the providers': a prefix and letters that never come again. */
export function newId(prefix: string): string {
  count++
  return `${prefix}${run}${count.toString(36).padStart(10, '0')}`
}
