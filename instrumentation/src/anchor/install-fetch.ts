import type { FetchAnchor } from './fetch-anchor.ts'
import type { FetchArguments } from './outgoing.ts'

/** On the wrapper itself, so that any copy of this package knows it. */
const ANCHORED = Symbol.for('tokenfuse.fetch')

/**
 * Puts the anchor in front of `globalThis.fetch`. The wrapper has the name, length and properties of what it wraps, and
 * hands every other call through with its very arguments.
 */
export function installFetchAnchor(anchor: FetchAnchor): void {
  const original: unknown = globalThis.fetch
  if (typeof original !== 'function' || ANCHORED in original) return
  const wrapper = wrapFetch(original as Fetch, anchor)
  const property = Object.getOwnPropertyDescriptor(globalThis, 'fetch')
  Object.defineProperty(globalThis, 'fetch', {
    value: wrapper,
    writable: true,
    configurable: true,
    enumerable: property?.enumerable ?? true,
  })
}

type Fetch = typeof globalThis.fetch
type AnyFetch = (...args: unknown[]) => Promise<Response>

export function wrapFetch(original: Fetch, anchor: FetchAnchor): Fetch {
  // Declared like Node's own, for stack traces.
  function fetch(this: unknown, ...args: Parameters<Fetch>): Promise<Response> {
    const send = (sent: FetchArguments) => Reflect.apply(original as AnyFetch, this, sent)
    return anchor.intercept(send, args) ?? send(args)
  }
  Object.defineProperties(fetch, Object.getOwnPropertyDescriptors(original))
  Object.defineProperty(fetch, ANCHORED, { value: true })
  return fetch
}
