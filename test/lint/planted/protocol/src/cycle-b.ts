import { a } from './cycle-a.ts' // import(no-cycle)

export const b = () => a
