export { readEndpoint } from './data-directory.ts'
export type { Endpoint } from './data-directory.ts'
export type { ProcessorOptions, RunningProcessor } from './options.ts'
export { startProcessor } from './start-processor.ts'
