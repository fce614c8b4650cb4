import type { EncodingName } from './encoding.ts'

/** Asks the worker to count; `texts` are counted apart and added up. */
export type CountRequest = {
  readonly id: number
  readonly encoding: EncodingName
  readonly input: readonly string[]
  readonly output: string
}

export type CountAnswer =
  /** The encoding is loaded: from here on it is the counting that takes the time. */
  | { readonly id: number; readonly type: 'counting' }
  | {
      readonly id: number
      readonly type: 'counted'
      readonly input: number
      readonly output: number
    }
