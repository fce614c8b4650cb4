import { ANTHROPIC_SCENARIOS } from './anthropic-scenarios.ts'
import type { Scenario } from './asked.ts'
import { BROKEN_SCENARIOS } from './broken-scenarios.ts'
import { OPENAI_SCENARIOS } from './openai-scenarios.ts'

export const SCENARIOS: readonly Scenario[] = [
  ...OPENAI_SCENARIOS,
  ...ANTHROPIC_SCENARIOS,
  ...BROKEN_SCENARIOS,
]

/** The scenario of each call of a load: each as often as its weight says, in an order that mixes them. */
export function planLoad(calls: number, random: () => number): Scenario[] {
  const weight = SCENARIOS.reduce((sum, scenario) => sum + scenario.weight, 0)
  const planned = SCENARIOS.flatMap((scenario) => {
    const count = Math.max(1, Math.round((calls * scenario.weight) / weight))
    return Array.from({ length: count }, () => scenario)
  })
  for (let index = planned.length - 1; index > 0; index--) {
    const other = Math.floor(random() * (index + 1))
    const [a, b] = [planned[index], planned[other]]
    if (a && b) [planned[index], planned[other]] = [b, a]
  }
  // Rounding may have made some too few or too many.
  const first = SCENARIOS[0]
  while (first && planned.length < calls) planned.push(first)
  return planned.slice(0, calls)
}

const SEPARATOR = '#'

/** Names a call, and by that its scenario. */
export function labelOf(agent: string, scenario: Scenario, index: number): string {
  return `${scenario.name}${SEPARATOR}${agent}-${index}`
}

/** @throws {Error} on a label that `labelOf` has not made */
export function scenarioOf(label: string): Scenario {
  const name = label.slice(0, label.lastIndexOf(SEPARATOR))
  const scenario = SCENARIOS.find((candidate) => candidate.name === name)
  if (!scenario) throw new Error(`no scenario is labelled ${label}`)
  return scenario
}
