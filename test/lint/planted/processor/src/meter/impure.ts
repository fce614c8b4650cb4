export * from '../api/fine.ts' // tokenfuse(import-directions)
export const load = () => import('node:fs/promises') // tokenfuse(no-builtin-modules)
export const sqlite = () => import('node:sqlite') // tokenfuse(no-builtin-modules)
export const day = (ms: number) => new Date(ms) // eslint(no-restricted-globals)
export const zone = () => new Intl.DateTimeFormat() // eslint(no-restricted-globals)
export const say = () => console.log('x') // eslint(no-restricted-globals)
export const ask = () => fetch('http://127.0.0.1') // eslint(no-restricted-globals)
export const wait = (f: () => void) => setTimeout(f, 1) // eslint(no-restricted-globals)
export const repeat = (f: () => void) => setInterval(f, 1) // eslint(no-restricted-globals)
export const soon = (f: () => void) => queueMicrotask(f) // eslint(no-restricted-globals)
export const clock = () => performance.now() // eslint(no-restricted-globals)
export const id = () => crypto.randomUUID() // eslint(no-restricted-globals)
export const round = () => globalThis.Date.now() // eslint(no-restricted-globals)
export const environment = () => process.env // eslint(no-restricted-globals)
export const order = (a: string, b: string) => a.localeCompare(b) // eslint(no-restricted-properties)
export let calls = 0 // tokenfuse(no-module-state)
var others = 0 // tokenfuse(no-module-state) eslint(no-var)

export function count(): number {
  calls += 1
  others += 1
  let local = others
  local += 1
  return calls + local
}
