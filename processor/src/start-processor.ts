import { dirname, join, resolve } from 'node:path'
import { DataDirectory } from './data-directory.ts'
import { GovernorLoop } from './governor-loop.ts'
import { SqliteEventLog } from './log/sqlite/event-log.ts'
import type { ProcessorOptions, RunningProcessor } from './options.ts'
import { readPolicyFile } from './policy/policy-file.ts'
import { Processor } from './processor.ts'

/**
 * Starts a processor: event log, governor, policy file and control API. It is ready when the promise resolves.
 * @throws PolicyError where the policy file does not hold; TokenfuseError `policy_unreadable`, `already_running`,
 *   `log_unavailable`, `log_corrupt`, `state_version`, `not_loopback`, `address_in_use`
 */
export async function startProcessor(options: ProcessorOptions): Promise<RunningProcessor> {
  const besideData = join(dirname(resolve(options.dataDirectory)), 'tokenfuse.yaml')
  const policyPath = resolve(options.policyFile ?? besideData)
  const policy = readPolicyFile(policyPath, options.policyFile !== undefined)
  const directory = new DataDirectory(options.dataDirectory)
  let log: SqliteEventLog | null = null
  let processor: Processor | null = null
  try {
    log = new SqliteEventLog({ path: directory.eventLogPath, ...options.retention })
    const loop = await GovernorLoop.restore(log)
    processor = new Processor({ options, policyPath, directory, log, loop })
    await processor.start(policy)
    return processor
  } catch (error) {
    await (processor ? processor.abandon() : log?.close())
    directory.close()
    throw error
  }
}
