/**
 * The preload for an app without OpenTelemetry of its own: `node --import @tokenfuse/instrumentation/register-sdk` does
 * what `register` does and sets OpenTelemetry up. The file itself only looks whether Node is new enough to read the
 * rest.
 */
import { createRequire } from 'node:module'
import { isMainThread } from 'node:worker_threads'
import { reportFault, warnOnce } from './log.ts'
import { isSupported, NODE_NEEDED } from './runtime-version.ts'
import { isDisabled } from './settings.ts'

if (!isDisabled(process.env)) {
  const { node } = process.versions
  if (isSupported(node)) load()
  else if (isMainThread) {
    warnOnce(
      'node',
      `needs Node ${NODE_NEEDED}, but this is ${node}: nothing is metered or guarded`,
    )
  }
}

function load(): void {
  try {
    createRequire(import.meta.url)('./sdk.cjs')
  } catch (error) {
    reportFault('loading the preload', error)
  }
}
