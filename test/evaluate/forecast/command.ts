import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { reportLines } from './print.ts'
import { type Answer, replay, type Row } from './replay.ts'
import { readRecording } from './series.ts'
import { summarize } from './summary.ts'

/**
 * Replays recorded traffic through the governor's forecast and scores it.
 * Relative paths are relative to the folder that npm was called in.
 */
export const forecastCommand = {
  usage: 'npm run evaluate -- forecast --requests FILE.csv.gz --lengths FILE.csv [--json]',

  /** @throws {Error} where an option is missing or a file cannot be read */
  run(args: string[]): string {
    const { values } = parseArgs({
      args,
      options: {
        requests: { type: 'string' },
        lengths: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    })
    const { requests, lengths, json } = values
    if (requests === undefined || lengths === undefined) {
      throw new Error('--requests and --lengths are both needed')
    }
    const recording = readRecording(fromCaller(requests), fromCaller(lengths))
    const answers = replay(recording)
    const summary = summarize(recording, answers)
    if (!json) return reportLines(summary).join('\n')
    return JSON.stringify({ rows: answers.map(rowOf), summary })
  },
}

const fromCaller = (path: string) => resolve(process.env['INIT_CWD'] ?? process.cwd(), path)

function rowOf(answer: Answer): Row {
  const { client, model, day, fraction, actual, point, lower, upper, breach, linear, regular } =
    answer
  return { client, model, day, fraction, actual, point, lower, upper, breach, linear, regular }
}
