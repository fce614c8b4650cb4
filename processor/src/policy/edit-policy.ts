import { isMap, isSeq, parseDocument, type Document, type YAMLSeq } from 'yaml'
import { TokenfuseError } from '@tokenfuse/protocol'

/** A budget as a policy file has it, defaults left out. */
export type WrittenBudget = { readonly id: string } & Readonly<Record<string, unknown>>

const EMPTY_FILE = 'version: 1\nbudgets: []\n'

/**
 * The policy file's text with one budget added or replaced; everything else of it, comments included, stays as it is.
 * @param text the file as it is; empty where there is none yet
 */
export function withBudget(text: string, budget: WrittenBudget): string {
  const document = open(text)
  const budgets = budgetsOf(document)
  const index = indexOf(budgets, budget.id)
  const node = document.createNode(budget)
  if (index < 0) budgets.add(node)
  else {
    const old = budgets.items[index]
    if (isMap(old)) {
      node.commentBefore = old.commentBefore ?? null
      node.comment = old.comment ?? null
    }
    budgets.items[index] = node
  }
  // `[]` is written for none; beyond that every budget has its lines.
  budgets.flow = false
  return String(document)
}

/** As `withBudget`, but what a budget that is there says beside the given fields stays. */
export function withBudgetFields(text: string, fields: WrittenBudget): string {
  const document = open(text)
  const budgets = budgetsOf(document)
  const budget = budgets.items[indexOf(budgets, fields.id)]
  if (!isMap(budget)) return withBudget(text, fields)
  for (const [name, value] of Object.entries(fields)) {
    if (name !== 'id') budget.set(name, document.createNode(value))
  }
  return String(document)
}

/** @throws TokenfuseError `not_found` where the file has no such budget */
export function withoutBudget(text: string, id: string): string {
  const document = open(text)
  const budgets = budgetsOf(document)
  const index = indexOf(budgets, id)
  if (index < 0) {
    throw new TokenfuseError('not_found', `the policy file has no budget "${id}"`, {
      fix: 'See "tokenfuse budget list" for those there are.',
    })
  }
  budgets.items.splice(index, 1)
  if (budgets.items.length === 0) budgets.flow = true
  return String(document)
}

function open(text: string): Document {
  return parseDocument(text.trim() === '' ? EMPTY_FILE : text)
}

function budgetsOf(document: Document): YAMLSeq {
  const found = document.get('budgets')
  if (isSeq(found)) return found
  const made = document.createNode([])
  document.set('budgets', made)
  return made as YAMLSeq
}

function indexOf(budgets: YAMLSeq, id: string): number {
  return budgets.items.findIndex((item) => isMap(item) && item.get('id') === id)
}
