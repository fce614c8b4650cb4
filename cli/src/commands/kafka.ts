import { ENV_KAFKA_BROKERS, TokenfuseError } from '@tokenfuse/protocol/names'
import type { Command } from 'commander'
import { printLines, tellLines } from '../output/print.ts'
import { readPositive, withJsonOption } from './options.ts'

type InitOptions = {
  readonly brokers?: string
  readonly spanPartitions?: number
  readonly eventPartitions?: number
  readonly replication?: number
  readonly retentionDays?: number
  readonly json?: boolean
}

export function addKafka(program: Command): void {
  const kafka = program.command('kafka').description('prepare Kafka for several processors')
  const init = kafka
    .command('init')
    .description('make the topics that are missing and check the others')
    .option('--brokers <list>', `host:port, with commas between (default: ${ENV_KAFKA_BROKERS})`)
    .option(
      '--span-partitions <n>',
      'of otlp_spans: so many meters at most (default: 4)',
      readPositive,
    )
    .option(
      '--event-partitions <n>',
      'of tokenfuse.events, fixed for its life (default: 1)',
      readPositive,
    )
    .option('--replication <n>', 'copies of each topic that is made (default: 1)', readPositive)
    .option(
      '--retention-days <n>',
      'how long events and spans are kept (default: 30)',
      readPositive,
    )
  withJsonOption(init)
    .addHelpText(
      'after',
      `
Examples:
  $ tokenfuse kafka init --brokers localhost:9092
  $ tokenfuse kafka init --brokers k1:9092,k2:9092,k3:9092 --replication 3 --span-partitions 12`,
    )
    .action(initTopics)
}

async function initTopics({ brokers, json = false, ...options }: InitOptions): Promise<void> {
  const { initKafka, readKafkaSettings } = await import('@tokenfuse/processor')
  const settings = readKafkaSettings(process.env, brokers ?? null)
  if (settings === null) {
    throw new TokenfuseError('kafka_settings', 'no broker is named', {
      fix: `Name one with --brokers or ${ENV_KAFKA_BROKERS}.`,
    })
  }
  const reports = await initKafka(settings, options, (line) => tellLines([line]))
  if (json) printLines([JSON.stringify(reports)])
  else {
    printLines(
      reports.map(({ name, partitions, change }) => {
        const count = `${partitions} ${partitions === 1 ? 'partition' : 'partitions'}`
        return `${name.padEnd(24)}${count.padEnd(16)}${change}`
      }),
    )
  }
}
