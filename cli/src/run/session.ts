import { setTimeout as wait } from 'node:timers/promises'
import { TokenfuseError } from '@tokenfuse/protocol/names'
import { ProcessorClient } from '../processor/client.ts'
import { dataDirectory, findProcessor, isRemote, type ProcessorOptions } from '../processor/find.ts'
import { startEmbedded } from './embedded.ts'

const START_TIMEOUT_MS = 10_000
const RETRY_MS = 100

/** A processor for as long as a run lasts. */
export type Session = {
  readonly client: ProcessorClient
  /** Where its state is, for a processor of this machine. */
  readonly dataDirectory: string | null
  /** Ends the processor if it was started for this session and nobody else uses it. */
  close(): Promise<void>
}

/**
 * The processor that is named or runs in the data folder, or else a new one that ends with the session.
 * @throws TokenfuseError `processor_unreachable` where one is named that does not answer, and what its start throws
 */
export async function openSession(options: ProcessorOptions): Promise<Session> {
  const found = findProcessor(options, process.env)
  if (isRemote(options, process.env)) {
    const client = found && new ProcessorClient(found)
    const shared = client && (await sharedSession(client, null))
    if (shared) return shared
    throw new TokenfuseError('processor_unreachable', `no processor answers at ${found?.url}`, {
      fix: 'Check the address, or leave it out: then one is started for the run.',
    })
  }
  const directory = dataDirectory(options)
  const deadlineMs = performance.now() + START_TIMEOUT_MS
  for (;;) {
    const address = findProcessor(options, process.env)
    const client = address && new ProcessorClient(address)
    const shared = client && (await sharedSession(client, directory))
    if (shared) return shared
    try {
      return await ownSession(directory)
    } catch (error) {
      // Another run starts one at this moment: it will answer soon.
      const isRace = TokenfuseError.isInstance(error) && error.code === 'already_running'
      if (!isRace || performance.now() > deadlineMs) throw error
      await wait(RETRY_MS)
    }
  }
}

async function ownSession(directory: string): Promise<Session> {
  const embedded = await startEmbedded(directory)
  return {
    client: new ProcessorClient(embedded.address),
    dataDirectory: directory,
    close: () => embedded.release(),
  }
}

/**
 * A processor that runs already. While the stream is open, one that another run has started does not end.
 * @returns `null` where none answers, or the one that did is about to end
 */
async function sharedSession(
  client: ProcessorClient,
  directory: string | null,
): Promise<Session | null> {
  if (!(await client.isReady())) return null
  const letGo = await client.holdOpen()
  if (letGo === null) return null
  // It may have decided to end before it saw the stream.
  if (!(await client.isReady())) {
    letGo()
    return null
  }
  return {
    client,
    dataDirectory: directory,
    close: async () => letGo(),
  }
}
