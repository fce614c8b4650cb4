import { b } from './cycle-b.ts' // import(no-cycle)

export const a = () => b
