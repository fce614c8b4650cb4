import type { DetectionsAnswer, DetectionStatus } from '@tokenfuse/protocol'
import type { Command } from 'commander'
import { printJson, printLines } from '../output/print.ts'
import { type Style, styleFor } from '../output/style.ts'
import { formatCount, plural, showName, wrapped } from '../output/text.ts'
import { connect } from '../processor/client.ts'
import type { ProcessorOptions } from '../processor/find.ts'
import { withJsonOption, withProcessorOptions } from './options.ts'

const WIDTH = 78
const MAX_SHOWN = 50

type AlertsOptions = ProcessorOptions & { readonly all?: boolean; readonly json?: boolean }

export function addAlerts(program: Command): void {
  const command = program
    .command('alerts')
    .description('show runaways and spikes: what gave them away, and what an end would save')
    .option('--all', 'also those that are over')
  withJsonOption(withProcessorOptions(command))
    .addHelpText(
      'after',
      `
Tasks are held against what their like spent before, agents, users and everything against their own recent
highest. Without "detect:" in tokenfuse.yaml they warn and nothing is refused.

Examples:
  $ tokenfuse alerts
  $ tokenfuse alerts --all --json | jq '.detections[] | {kind, level, scope, wouldHaveSavedTokens}'`,
    )
    .action(showAlerts)
}

async function showAlerts({ all = false, json, ...where }: AlertsOptions): Promise<void> {
  const answer = await connect(where).detections()
  const detections = answer.detections.filter(({ until }) => all || until === null)
  if (json) printJson({ ...answer, detections } satisfies DetectionsAnswer)
  else printLines(alertLines(detections, all, styleFor(process.stdout)))
}

function alertLines(detections: readonly DetectionStatus[], all: boolean, style: Style): string[] {
  if (detections.length === 0) {
    return [
      all ? 'No runaway or spike is known.' : 'No runaway or spike goes on; --all shows past ones.',
    ]
  }
  const lines = detections.slice(0, MAX_SHOWN).flatMap((detection) => linesOf(detection, style))
  const more = detections.length - MAX_SHOWN
  return more > 0
    ? [...lines, style('dim', `and ${plural(more, 'more alert')}: see --json`)]
    : lines
}

function linesOf(detection: DetectionStatus, style: Style): string[] {
  const { id, kind, level, scope, from, until, reason, action, decision } = detection
  const colour = level === 'notice' ? 'yellow' : 'red'
  const when = until === null ? `since ${from}` : `${from} to ${until}`
  const head = `${kind} (${level}): ${showName(scope, 60)}`
  const done = decision === null ? '' : `${action} [${decision}], `
  return [
    style(until === null ? colour : 'dim', head),
    ...wrapped(showName(reason, 600), WIDTH).map((line) => `  ${line}`),
    ...wrapped(`${done}${when}${worth(detection)} [${id}]`, WIDTH).map((line) =>
      style('dim', `  ${line}`),
    ),
  ]
}

function worth({ wouldHaveSavedTokens }: DetectionStatus): string {
  if (wouldHaveSavedTokens === null) return ''
  return `; an end at the first alarm would have saved ${formatCount(wouldHaveSavedTokens)} tokens`
}
