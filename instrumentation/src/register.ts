/**
 * The preload's entry: `node --import @tokenfuse/instrumentation/register`, `--require`, or `NODE_OPTIONS`. It is
 * published as one file that runtimes far older than the supported ones can read and link: all it does before the
 * check below is to define things.
 */
import { isMainThread } from 'node:worker_threads'
import { warnOnce } from './log.ts'
import { startPreload } from './preload.ts'
import { isSupported, NODE_NEEDED } from './runtime-version.ts'
import { isDisabled } from './settings.ts'

if (!isDisabled(process.env)) {
  const { node } = process.versions
  if (isSupported(node)) startPreload()
  else if (isMainThread) {
    warnOnce(
      'node',
      `needs Node ${NODE_NEEDED}, but this is ${node}: nothing is metered or guarded`,
    )
  }
}
