import type { Tick } from '@tokenfuse/protocol'

/** A tick that compares no state. */
export function tickEvent(): Tick {
  return {
    type: 'tick',
    v: 1,
    tenant: 'default',
    governorVersion: '1',
    stateHash: null,
    stateOffset: 0,
  }
}
