import { dirname, join, resolve } from 'node:path'
import { DataDirectory } from './data-directory.ts'
import { GovernorLoop } from './governor-loop.ts'
import { KafkaPipeline } from './log/kafka/pipeline.ts'
import type { Announcer } from './log/pipeline.ts'
import type { EventLog } from './log/port.ts'
import { SqliteEventLog } from './log/sqlite/event-log.ts'
import { MeterRole } from './meter-role.ts'
import { MetricRegistry } from './metrics/registry.ts'
import type { ProcessorOptions, RunningProcessor } from './options.ts'
import { readPolicyFiles } from './policy/policy-files.ts'
import { RULES_FILE } from './policy/rules-file.ts'
import { Processor } from './processor.ts'
import { limitRepeats } from './repeated-lines.ts'

/**
 * Starts a processor: event log, governor, policy file and control API. It is ready when the promise resolves. Where
 * the log is in Kafka, it waits for that as long as it takes, and meters what the Collector writes there.
 * @throws PolicyError where the policy file does not hold; TokenfuseError `policy_unreadable`, `already_running`,
 *   `log_unavailable`, `log_corrupt`, `log_mismatch`, `state_version`, `kafka_topics`, `not_loopback`, `address_in_use`
 */
export async function startProcessor(options: ProcessorOptions): Promise<RunningProcessor> {
  const besideData = join(dirname(resolve(options.dataDirectory)), 'tokenfuse.yaml')
  const policyPath = resolve(options.policyFile ?? besideData)
  const besidePolicy = join(dirname(policyPath), RULES_FILE)
  const rulesPath = resolve(options.rulesFile ?? besidePolicy)
  const paths = { policyPath, rulesPath }
  const files = readPolicyFiles(paths, {
    policy: options.policyFile !== undefined,
    rules: options.rulesFile !== undefined,
  })
  const directory = new DataDirectory(options.dataDirectory)
  const say = limitRepeats(options.log ?? (() => {}))
  const metrics = new MetricRegistry()
  let log: EventLog | null = null
  let processor: Processor | null = null
  let meter: MeterRole | null = null
  try {
    const pipeline = options.kafka ? await KafkaPipeline.connect(options.kafka, say) : null
    const ports: { log: EventLog; announcer: Announcer | null } = pipeline
      ? await pipeline.governorPorts(directory.statePath)
      : { log: embeddedLog(directory, options), announcer: null }
    log = ports.log
    const loop = await GovernorLoop.restore(log)
    processor = new Processor({ options, paths, directory, loop, metrics, ...ports })
    await processor.start(files)
    if (pipeline === null || options.meters === false) return processor
    meter = new MeterRole({ ports: pipeline.meterPorts(), metrics, say })
    await meter.start()
    return withMeter(processor, meter)
  } catch (error) {
    await meter?.close()
    await (processor ? processor.abandon() : log?.close())
    directory.close()
    throw error
  }
}

function embeddedLog(directory: DataDirectory, options: ProcessorOptions): EventLog {
  return new SqliteEventLog({ path: directory.eventLogPath, ...options.retention })
}

/** Both roles as one: it ends when either ends, and the meter is closed first, so that what it adds is still applied. */
function withMeter(processor: Processor, meter: MeterRole): RunningProcessor {
  const ended = Promise.race([processor.ended, meter.ended.then(() => processor.ended)])
  // Whether somebody waits for it or not.
  ended.catch(() => {})
  return {
    url: processor.url,
    token: processor.token,
    get openStreams() {
      return processor.openStreams
    },
    ended,
    async close() {
      await meter.close()
      await processor.close()
    },
  }
}
