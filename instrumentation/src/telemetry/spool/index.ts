// For `tokenfuse run`, which has nothing to do with the rest of the preload.
export { sendSpool } from './send-spool.ts'
export type { SendSpoolOptions, SpoolReport } from './send-spool.ts'
export { spoolFolder } from './spool-folder.ts'
export type { SpoolFolder } from './spool-folder.ts'
