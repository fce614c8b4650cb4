import { join } from 'node:path'
import { readyLine, spawnSource, stopChild } from '../support/child.ts'
import {
  makeTemporaryFolder,
  type ProcessorProcess,
  startProcessorProcess,
} from '../support/processes.ts'

export type Stage = {
  readonly providerUrl: string
  readonly processor: ProcessorProcess
  /** What the preload is told, so that it meters the provider of this stage. */
  readonly environment: Readonly<Record<string, string>>
  close(): Promise<void>
}

/** A provider and a processor, each a process of its own. */
export async function setStage(): Promise<Stage> {
  const folder = makeTemporaryFolder()
  const server = spawnSource(join(import.meta.dirname, 'bench-server.ts'), [])
  const providerUrl = String((await readyLine(server))['url'])
  const processor = await startProcessorProcess(join(folder.path, 'data'))
  return {
    providerUrl,
    processor,
    environment: {
      TOKENFUSE_URL: processor.url,
      TOKENFUSE_TOKEN: processor.token,
      TOKENFUSE_HOSTS: `${new URL(providerUrl).host}=openai+usage`,
      TOKENFUSE_SPOOL_DIR: join(folder.path, 'spool'),
    },
    close: async () => {
      await Promise.all([stopChild(server), processor.stop()])
      folder.remove()
    },
  }
}
