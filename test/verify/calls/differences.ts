import type { UsageEvent } from '@tokenfuse/protocol'
import type { LedgerEntry } from '../../support/provider/client.ts'

/** Where a metered call that had the provider's own usage differs from its bill; empty where it is equal. */
export function differences(entry: LedgerEntry, event: UsageEvent): string[] {
  const problems: string[] = []
  const check = (what: string, billed: unknown, metered: unknown) => {
    if (billed === metered) return
    problems.push(`${what}: billed ${String(billed)}, metered ${String(metered)}`)
  }
  const { tokens } = entry
  const extra = (field: 'input' | 'output') =>
    entry.extras.reduce((sum, { [field]: count }) => sum + count, 0)
  check('source', 'provider', event.source)
  check('price', 'exact', event.priced)
  check('model', entry.model, event.responseModel)
  check('input', tokens.input + extra('input'), event.tokens.input)
  check('cached', tokens.cached, event.tokens.cacheRead ?? 0)
  check('cache write', tokens.cacheWrite5m, event.tokens.cacheWrite ?? 0)
  check('cache write 1h', tokens.cacheWrite1h, event.tokens.cacheWrite1h ?? 0)
  // Embeddings have no output to state.
  check('output', tokens.output + extra('output'), event.tokens.output ?? 0)
  check('reasoning', tokens.reasoning, event.tokens.reasoning ?? 0)
  check('web searches', entry.webSearches, quantityOf(event, 'web_search'))
  for (const kind of ['advisor', 'compaction'] as const) {
    check(kind, partOfBill(entry, kind), partOfEvent(event, kind))
  }
  check('cost in pico-USD', entry.costPicoUsd, event.costPicoUsd)
  return problems
}

function quantityOf(event: UsageEvent, kind: string): number {
  return event.charges
    .filter((charge) => charge.kind === kind)
    .reduce((sum, { quantity }) => sum + quantity, 0)
}

/** `model input+output` of what is billed beside the answer; empty where nothing is. */
function partOfBill(entry: LedgerEntry, kind: string): string {
  const extra = entry.extras.find((candidate) => candidate.kind === kind)
  return extra ? `${extra.model} ${extra.input}+${extra.output}` : ''
}

function partOfEvent(event: UsageEvent, part: string): string {
  const charges = event.charges.filter((charge) => charge.part === part)
  const quantity = (kind: string) => charges.find((charge) => charge.kind === kind)?.quantity ?? 0
  const model = charges[0]?.model
  return model === undefined ? '' : `${model} ${quantity('input')}+${quantity('output')}`
}
