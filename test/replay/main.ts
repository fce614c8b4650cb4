import type { Outcome, Sums } from './check.ts'
import { parseOptions, type ReplayOptions, USAGE } from './options.ts'
import { replayRecording } from './run.ts'

// `npm run replay -- FILE.csv`: recorded runs through the real client, the preload and a processor, held against the
// file and the stand-in. Exit code 1 on any mismatch, 2 where the request itself is wrong.

const MISMATCHES_SHOWN = 40

function tell(line: string): void {
  process.stderr.write(`${line}\n`)
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function options(): ReplayOptions {
  try {
    return parseOptions(process.argv.slice(2))
  } catch (error) {
    tell(`${message(error)}\n${USAGE}`)
    process.exit(2)
  }
}

function tableLines({ calls, agents, runs }: Outcome): string[] {
  const line = (name: string, { input, output, costPicoUsd }: Sums) =>
    name.padEnd(26) +
    String(input).padStart(12) +
    String(output).padStart(12) +
    (Number(costPicoUsd) / 1e12).toFixed(6).padStart(14)
  return [
    'agent'.padEnd(26) + 'input'.padStart(12) + 'output'.padStart(12) + 'USD'.padStart(14),
    ...Object.entries(agents).map(([name, sums]) => line(name, sums)),
    '',
    `${calls} calls in ${Object.keys(runs).length} runs.`,
  ]
}

process.once('SIGTERM', () => process.exit(143))
process.once('SIGINT', () => process.exit(130))

function show(outcome: Outcome, json: boolean): void {
  const { calls, agents, runs, mismatches, lost } = outcome
  for (const mismatch of mismatches.slice(0, MISMATCHES_SHOWN)) tell(`MISMATCH ${mismatch}`)
  if (mismatches.length > 0) tell(`${mismatches.length} mismatches`)
  for (const { label, tokens, costPicoUsd } of lost) {
    const bill = `${tokens.input}+${tokens.output}, ${costPicoUsd} pico-USD`
    tell(`not acknowledged: ${label}, billed ${bill}`)
  }
  const text = json
    ? JSON.stringify({ calls, agents, runs, mismatches: mismatches.length })
    : [...tableLines(outcome), mismatches.length === 0 ? 'No mismatch.' : 'MISMATCHED'].join('\n')
  process.stdout.write(`${text}\n`)
  if (mismatches.length > 0) process.exitCode = 1
}

const chosen = options()
try {
  show(await replayRecording(chosen, tell), chosen.json)
} catch (error) {
  tell(message(error))
  process.exit(1)
}
