/** From `tokenfuse run` to the processor that it has started. */
export type ToHost = {
  /** The run is over: end, as soon as nobody else uses this processor. */
  readonly type: 'release'
}

export type FromHost =
  | { readonly type: 'ready'; readonly url: string; readonly token: string }
  | {
      readonly type: 'failed'
      readonly code: string
      readonly message: string
      readonly fix: string | null
    }
  /** Others still use it: it ends when they do. */
  | { readonly type: 'lingers' }
