import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { readRecording } from '../forecast/series.ts'
import { type DetectorScore, evaluate, type KindSummary } from './summary.ts'
import { clientsOf, FACTORS, runawaysFor } from './traffic.ts'

const DEFAULT_PER_CLIENT = 20
const SEED = 1

/**
 * Replays recorded traffic through the governor's spike detector, adds runaways to it, and scores what it finds of them.
 * Relative paths are relative to the folder that npm was called in.
 */
export const spikesCommand = {
  usage:
    'npm run evaluate -- spikes --requests FILE.csv.gz --lengths FILE.csv [--runaways N] ' +
    '[--seed N] [--json]',

  /** @throws {Error} where an option is missing or wrong, or a file cannot be read */
  run(args: string[]): string {
    const { values } = parseArgs({
      args,
      options: {
        requests: { type: 'string' },
        lengths: { type: 'string' },
        runaways: { type: 'string', default: String(DEFAULT_PER_CLIENT) },
        seed: { type: 'string', default: String(SEED) },
        json: { type: 'boolean', default: false },
      },
    })
    const { requests, lengths, json } = values
    if (requests === undefined || lengths === undefined) {
      throw new Error('--requests and --lengths are both needed')
    }
    const perClient = whole(values.runaways, '--runaways')
    const { series } = readRecording(fromCaller(requests), fromCaller(lengths))
    const clients = clientsOf(series)
    const runaways = runawaysFor(clients, perClient, whole(values.seed, '--seed'))
    const { rows, summary } = evaluate(clients, runaways)
    return json ? JSON.stringify({ rows, summary }) : reportLines(summary).join('\n')
  },
}

const fromCaller = (path: string) => resolve(process.env['INIT_CWD'] ?? process.cwd(), path)

function whole(text: string, option: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0) throw new Error(`${option} is a whole number`)
  return value
}

function reportLines(summary: readonly KindSummary[]): string[] {
  return summary.flatMap(({ kind, clients, runaways, detectors }) => [
    `${kind}: ${clients} clients, ${runaways / FACTORS.length} runaways of each size`,
    'detector'.padEnd(30) +
      'limit'.padEnd(31) +
      'alarms a day'.padStart(12) +
      FACTORS.map((factor) => `found of x${factor}`.padStart(19)).join(''),
    ...detectors.map(detectorLine),
    '',
  ])
}

function detectorLine({ detector, limit, alarmsPerDay, found }: DetectorScore): string {
  const cells = found.map(({ foundPercent, delayMinutes }) =>
    `${foundPercent.toFixed(0)} % (${delayMinutes ?? '-'} min)`.padStart(19),
  )
  return (
    detector.padEnd(30) + limit.padEnd(31) + alarmsPerDay.toFixed(3).padStart(12) + cells.join('')
  )
}
