import type { Score } from './score.ts'
import type { LevelScore, Summary } from './summary.ts'

const HEAD =
  'of completed runs'.padStart(20) + 'of capped runs'.padStart(18) + 'spend avoided'.padStart(16)

/** The tables, to be read. */
export function reportLines(summary: Summary): string[] {
  const { runs, withoutSteps, coldStart, levels, rules, byChars, parts, orders } = summary
  return [
    `${runs} runs, ${withoutSteps} of them without steps. Cold start: the first runs of a model, ` +
      `with fewer than ${coldStart.finishedRuns} finished ones before them (${coldStart.runs}).`,
    '',
    'Detector, first alarm at each level or a higher one',
    'level'.padEnd(34) + HEAD + 'rules at as many alarms'.padStart(25),
    ...levels.map(levelLine),
    '',
    'The same with a quarter of the characters as tokens, known at the time',
    ...byChars.map(levelLine),
    '',
    'Rules held against',
    'rule'.padEnd(34) + HEAD,
    ...rules.map(({ rule, ...score }) => scoreLine(rule, score)),
    '',
    `Means over ${orders.count} random orders: alarmed, avoided, rules at as many alarms, missed`,
    ...orders.levels.map(
      (mean) =>
        `${mean.level.padEnd(34)}${mean.alarmedPercent} %, ${mean.avoidedPercent} %, ` +
        `${mean.rulesAvoidPercent} %, ${mean.cappedMissed}`,
    ),
    ...parts.flatMap(({ part, levels: own }) => ['', part, ...own.map(levelLine)]),
  ]
}

const levelLine = (score: LevelScore) =>
  scoreLine(score.level, score) + `${score.rulesAvoidPercent.toFixed(1)} %`.padStart(25)

function scoreLine(name: string, score: Score): string {
  const completed = `${score.completedAlarmed}/${score.completed} ${score.alarmedPercent.toFixed(1)} %`
  const capped = `${score.cappedFound}/${score.capped}`
  const avoided = `${score.avoidedPercent.toFixed(1)} %`
  return name.padEnd(34) + completed.padStart(20) + capped.padStart(18) + avoided.padStart(16)
}
