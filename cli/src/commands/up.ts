import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { KafkaSettings } from '@tokenfuse/processor'
import { DEFAULT_PORT, ENV_KAFKA_BROKERS, TOKEN_FILE } from '@tokenfuse/protocol/names'
import type { Command } from 'commander'
import { onEndingSignal } from '../ending-signals.ts'
import { printLines, tellLines } from '../output/print.ts'
import { reportError } from '../output/report-error.ts'
import { type Style, styleFor } from '../output/style.ts'
import { dataDirectory } from '../processor/find.ts'
import { readPort } from './options.ts'

type UpOptions = {
  readonly port: number
  readonly data?: string
  readonly policy?: string
  readonly kafka?: string
  readonly roles: string
  readonly rules?: string
  readonly json?: boolean
}

export function addUp(program: Command): void {
  program
    .command('up')
    .description('run a processor here until Ctrl-C')
    .option('--port <port>', 'port on 127.0.0.1; 0 takes any free one', readPort, DEFAULT_PORT)
    .option('--data <dir>', 'folder for its state (default: .tokenfuse)')
    .option(
      '--policy <file>',
      'budgets and prices (default: tokenfuse.yaml beside the data folder)',
    )
    .option('--kafka <brokers>', `brokers that hold the log (default: ${ENV_KAFKA_BROKERS})`)
    .option('--roles <list>', 'what it does, with Kafka: meter, governor', 'meter,governor')
    .option('--rules <file>', 'rules (default: budget-alerts.yaml beside the policy file)')
    .option('--json', 'print its address as one line of JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ tokenfuse up
  $ tokenfuse up --port 0 --data /var/lib/tokenfuse --policy budgets.yaml
  $ tokenfuse up --kafka k1:9092,k2:9092 --roles meter --port 0`,
    )
    .action(up)
}

async function up({ data, kafka: brokers, roles, ...options }: UpOptions): Promise<void> {
  const { readKafkaSettings, readRoles } = await import('@tokenfuse/processor')
  const kafka = readKafkaSettings(process.env, brokers ?? null)
  const chosen = readRoles(roles, kafka !== null)
  if (kafka !== null && !chosen.governor) await upMeter(kafka, options)
  else await upProcessor(dataDirectory({ data }), kafka, chosen.meter, options)
}

type StartOptions = Pick<UpOptions, 'port' | 'policy' | 'rules' | 'json'>

async function upMeter(kafka: KafkaSettings, { port, json = false }: StartOptions): Promise<void> {
  const { startMeter } = await import('@tokenfuse/processor')
  const meter = await startMeter({ kafka, port, log: (line) => tellLines([line]) })
  onEndingSignal(() => void meter.close())
  if (json) printLines([JSON.stringify({ url: meter.url, pid: process.pid })])
  else printLines([`tokenfuse meters; probes and metrics at ${meter.url}`])
  await untilEnded(meter, json)
}

async function upProcessor(
  directory: string,
  kafka: KafkaSettings | null,
  meters: boolean,
  { port, policy, rules, json = false }: StartOptions,
): Promise<void> {
  const { readWebhookUrl, startProcessor } = await import('@tokenfuse/processor')
  const processor = await startProcessor({
    dataDirectory: directory,
    port,
    log: (line) => tellLines([line]),
    ...(policy === undefined ? {} : { policyFile: policy }),
    ...(kafka !== null && { kafka, meters }),
    ...readWebhookUrl(process.env),
    ...(rules === undefined ? {} : { rulesFile: rules }),
  })
  onEndingSignal(() => void processor.close())
  const { url } = processor
  if (json) {
    const tokenFile = join(directory, TOKEN_FILE)
    printLines([JSON.stringify({ url, pid: process.pid, dataDirectory: directory, tokenFile })])
  } else printLines(banner(url, directory, policy, styleFor(process.stdout)))
  await untilEnded(processor, json)
}

async function untilEnded(
  running: { readonly ended: Promise<void> },
  json: boolean,
): Promise<void> {
  try {
    await running.ended
  } catch (error) {
    // It cannot go on and still listens: staying would look like working.
    process.exit(reportError(error, { json }))
  }
}

function banner(
  url: string,
  directory: string,
  policy: string | undefined,
  style: Style,
): string[] {
  const policyFile = policy ?? join(dirname(directory), 'tokenfuse.yaml')
  const inForce = existsSync(policyFile)
    ? resolve(policyFile)
    : `none yet: calls are metered, nothing is stopped`
  const row = (name: string, value: string) => `  ${style('dim', name.padEnd(8))}${value}`
  return [
    `${style('bold', 'tokenfuse is up')} at ${url}`,
    row('data', directory),
    row('policy', inForce),
    row('agents', 'tokenfuse run -- node agent.js'),
    row('usage', 'tokenfuse usage'),
    style('dim', 'Ctrl-C stops it.'),
  ]
}
