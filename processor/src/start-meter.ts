import { DEFAULT_PORT } from '@tokenfuse/protocol'
import { createProbes } from './api/probes.ts'
import { listen } from './api/server.ts'
import { KafkaPipeline } from './log/kafka/pipeline.ts'
import { MeterRole } from './meter-role.ts'
import { MetricRegistry } from './metrics/registry.ts'
import type { MeterProcessOptions, RunningMeter } from './options.ts'
import { limitRepeats } from './repeated-lines.ts'

/**
 * Starts a meter alone: it turns what the Collector writes into events of the log, for a governor elsewhere. It keeps
 * nothing, so there may be as many as there are partitions of spans. Waits for Kafka and prices as long as it takes.
 * @throws TokenfuseError `kafka_topics`, `not_loopback`, `address_in_use`
 */
export async function startMeter(options: MeterProcessOptions): Promise<RunningMeter> {
  const { kafka, port = DEFAULT_PORT, host = '127.0.0.1' } = options
  const say = limitRepeats(options.log ?? (() => {}))
  const metrics = new MetricRegistry()
  let meter: MeterRole | null = null
  const probes = createProbes(metrics, () => meter?.isReady ?? false)
  const listening = await listen(probes, { port, host, allowRemote: false })
  try {
    const pipeline = await KafkaPipeline.connect(kafka, say)
    const started = new MeterRole({ ports: pipeline.meterPorts(), metrics, say })
    meter = started
    await started.start()
    return {
      url: listening.url,
      ended: started.ended,
      async close() {
        await started.close()
        await listening.close()
      },
    }
  } catch (error) {
    await listening.close()
    throw error
  }
}
