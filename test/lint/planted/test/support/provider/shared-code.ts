export { parsePolicy } from '@tokenfuse/protocol' // tokenfuse(import-directions)
export * from '../../../protocol/src/general.ts' // tokenfuse(import-directions)
export { readyLine } from '../child.ts'
