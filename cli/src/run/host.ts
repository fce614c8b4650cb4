import { setTimeout as wait } from 'node:timers/promises'
import { readWebhookUrl, startProcessor, type RunningProcessor } from '@tokenfuse/processor'
import { TokenfuseError } from '@tokenfuse/protocol/names'
import type { FromHost, ToHost } from './host-messages.ts'

const POLL_MS = 100
/** How long the streams of a run that is over may take to be seen closed. */
const SETTLE_MS = 1000

/**
 * Runs a processor for the process that started this one, which is told of it over the IPC channel. It ends when
 * that process has released it or is gone, and no agent or other run listens any more.
 */
export async function hostProcessor(
  dataDirectory: string,
  { log }: { readonly log: (line: string) => void },
): Promise<void> {
  const released = releasedByParent()
  // It may outlive whoever reads what it says.
  process.stderr.on('error', () => {})
  // The terminal tells a Ctrl-C to its whole group, and the spans of the run's last moments still have to come.
  for (const signal of ['SIGINT', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => {})
  let processor: RunningProcessor
  try {
    processor = await startProcessor({
      dataDirectory,
      port: 0,
      log,
      ...readWebhookUrl(process.env),
    })
  } catch (error) {
    tell(failureOf(error))
    return
  }
  process.on('SIGTERM', () => void processor.close())
  tell({ type: 'ready', url: processor.url, token: processor.token })
  processor.ended.catch((error: unknown) => {
    log(`the processor cannot go on: ${error instanceof Error ? error.message : String(error)}`)
    process.exit(1)
  })
  await released
  await untilUnused(processor)
  await processor.close()
  if (process.connected) process.disconnect()
}

function releasedByParent(): Promise<void> {
  return new Promise((resolve) => {
    process.once('disconnect', resolve)
    process.on('message', (message: ToHost) => {
      if (message.type === 'release') resolve()
    })
  })
}

async function untilUnused(processor: RunningProcessor): Promise<void> {
  const settledMs = performance.now() + SETTLE_MS
  let told = false
  while (processor.openStreams > 0) {
    if (!told && performance.now() > settledMs) {
      told = true
      tell({ type: 'lingers' })
    }
    await wait(POLL_MS)
  }
}

function tell(message: FromHost): void {
  // The parent may be gone already.
  if (process.connected) process.send?.(message, () => {})
}

function failureOf(error: unknown): FromHost {
  const { code, message, fix } = TokenfuseError.isInstance(error)
    ? error
    : { code: 'internal', message: String(error), fix: null }
  return { type: 'failed', code, message, fix }
}
