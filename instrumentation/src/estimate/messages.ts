import type { EncodingName } from './encoding.ts'

/** Asks the worker to count; `texts` are counted apart and added up. */
export type CountRequest = {
  readonly id: number
  readonly encoding: EncodingName
  readonly input: readonly string[]
  readonly output: string
}

export type CountAnswer = { readonly id: number; readonly input: number; readonly output: number }
