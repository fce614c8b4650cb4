import type { Action, Decision, UsageEvent } from '@tokenfuse/protocol'
import { AmountSum } from './amount-sum.ts'
import type { SourceResult } from './result.ts'

type Source = {
  readonly kind: SourceResult['kind']
  readonly name: string
  readonly decisions: Partial<Record<Action, number>>
  readonly refused: AmountSum
  firstDecisionAt: string | null
  firstRefusalAt: string | null
}

/** What each budget, rule and detector decided and would have refused. */
export class Sources {
  readonly #sources = new Map<string, Source>()

  decided(decision: Decision): void {
    const source = this.#of(decision)
    source.decisions[decision.action] = (source.decisions[decision.action] ?? 0) + 1
    source.firstDecisionAt ??= decision.from
  }

  refused(decision: Decision, event: UsageEvent): void {
    const source = this.#of(decision)
    source.refused.add(event)
    source.firstRefusalAt ??= event.time
  }

  /** Those that would have saved the most first. */
  results(): SourceResult[] {
    return [...this.#sources.values()]
      .sort((a, b) =>
        a.refused.cost === b.refused.cost ? 0 : a.refused.cost < b.refused.cost ? 1 : -1,
      )
      .map((source) => ({ ...source, refused: source.refused.amounts() }))
  }

  #of(decision: Decision): Source {
    const kind = kindOf(decision)
    const name = sourceName(decision)
    const key = `${kind} ${name}`
    let source = this.#sources.get(key)
    if (!source) {
      const refused = new AmountSum()
      source = { kind, name, decisions: {}, refused, firstDecisionAt: null, firstRefusalAt: null }
      this.#sources.set(key, source)
    }
    return source
  }
}

/** Of the budget, the rule or the detector that made a decision. */
export const sourceName = ({ budget, rule }: Decision): string => budget ?? rule ?? 'unknown'

function kindOf({ budget, parameters }: Decision): SourceResult['kind'] {
  if (budget !== null) return 'budget'
  return parameters['condition'] === undefined ? 'detector' : 'rule'
}
