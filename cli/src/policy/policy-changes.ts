import type { BacktestPolicy } from '@tokenfuse/processor'
import type { Budget, Rule } from '@tokenfuse/protocol'
import { describeLimit, describeMatch } from '../budgets/describe-budget.ts'
import { showName } from '../output/text.ts'

/** One difference between two policies. */
export type PolicyChange = {
  readonly change: 'added' | 'removed' | 'changed'
  readonly what: 'budget' | 'rule' | 'prices' | 'detect' | 'timezone'
  readonly name: string
  /** In words. */
  readonly text: string
}

/** What changes from one policy to another, in words. */
export function policyChanges(before: BacktestPolicy, after: BacktestPolicy): PolicyChange[] {
  const [a, b] = [before.policy, after.policy]
  return [
    ...listChanges('budget', keyed(a.budgets, 'id'), keyed(b.budgets, 'id'), describeBudget),
    ...listChanges('rule', keyed(before.rules, 'name'), keyed(after.rules, 'name'), describeRule),
    ...wholeChange('timezone', a.timezone, b.timezone, (zone) => zone),
    ...wholeChange('detect', a.detect, b.detect, (detect) => JSON.stringify(detect)),
    ...wholeChange('prices', a.prices, b.prices, (prices) => `${prices.length} of its own`),
  ]
}

function listChanges<Item extends object>(
  what: 'budget' | 'rule',
  before: ReadonlyMap<string, Item>,
  after: ReadonlyMap<string, Item>,
  describe: (item: Item) => string,
): PolicyChange[] {
  const changes: PolicyChange[] = []
  for (const [name, item] of before) {
    const now = after.get(name)
    if (!now) changes.push({ change: 'removed', what, name, text: describe(item) })
    else if (JSON.stringify(item) !== JSON.stringify(now)) {
      changes.push({ change: 'changed', what, name, text: fieldChanges(item, now, describe) })
    }
  }
  for (const [name, item] of after) {
    if (!before.has(name)) changes.push({ change: 'added', what, name, text: describe(item) })
  }
  return changes
}

/** What both say in words, where that differs, or else the fields. */
function fieldChanges<Item extends object>(
  before: Item,
  after: Item,
  describe: (item: Item) => string,
): string {
  const [was, is] = [describe(before), describe(after)]
  const inWords = was === is ? [] : [`${was} -> ${is}`]
  const told = new Set([
    'limit',
    'window',
    'per',
    'match',
    'mode',
    'condition',
    'action',
    'severity',
  ])
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((field) => !told.has(field))
    .flatMap((field) => {
      const [old, now] = [before, after].map((item) => JSON.stringify(Reflect.get(item, field)))
      return old === now ? [] : [`${field}: ${old ?? 'none'} -> ${now ?? 'none'}`]
    })
  return [...inWords, ...fields].join('; ')
}

function wholeChange<Value>(
  what: 'timezone' | 'detect' | 'prices',
  before: Value,
  after: Value,
  describe: (value: Value) => string,
): PolicyChange[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return []
  const text = `${describe(before)} -> ${describe(after)}`
  return [{ change: 'changed', what, name: what, text }]
}

const describeBudget = (budget: Budget) =>
  `${describeLimit(budget)}, for ${describeMatch(budget)}, ${budget.mode}`

const describeRule = ({ severity, condition, action }: Rule) =>
  `${severity}, ${action} when ${showName(condition, 200)}`

function keyed<Key extends string, Item extends Readonly<Record<Key, string>>>(
  items: readonly Item[],
  key: Key,
): Map<string, Item> {
  return new Map(items.map((item) => [item[key], item]))
}
