import { hash32 } from './key-hash.ts'
import type { PastAlarm } from './detection.ts'
import { NO_LINKS, type RecentRow } from './recent-table.ts'
import { NEW_ROW } from '../table.ts'

/** Branches beyond this are not told apart; their number is then a lower bound. */
export const MAX_BRANCHES = 512
/** Calls whose place in the tree is remembered. */
const MAX_SPANS = 16

/**
 * What is known of a root and of all that it set to work within one trace and task: a process may work at many tasks
 * below one inherited span, and those are no children of each other. `key` names the trace and the task.
 */
export type TraceTree = RecentRow & {
  readonly tenant: string
  readonly trace: string
  readonly task: string
  /** Of the first call seen. */
  readonly rootAgent: string
  calls: number
  tokens: number
  /** Hashes of the root's and the children's process, agent, session and parent span. */
  branches: number[]
  /** Hashes of the same without the parent span. */
  actors: number[]
  /** Input of the newest call. */
  lastContext: number
  /** Hash and depth of the newest calls, one after the other in a ring, for those whose parent is a call. */
  spans: number[]
  depth: number
  told: number
  alarms: PastAlarm[]
  lastMs: number
}

export function beginTree(
  key: string,
  use: number,
  names: Pick<TraceTree, 'tenant' | 'trace' | 'task' | 'rootAgent'>,
): TraceTree {
  return {
    key,
    order: use,
    lastUse: use,
    ...names,
    calls: 0,
    tokens: 0,
    branches: [],
    actors: [],
    lastContext: 0,
    spans: [],
    depth: 0,
    told: 0,
    alarms: [],
    lastMs: 0,
    ...NEW_ROW,
    ...NO_LINKS,
  }
}

/** Sub-agents: branches other than the root's own. */
export const childrenOf = ({ branches }: TraceTree): number => Math.max(0, branches.length - 1)

/** A call as a tree sees it. */
export type TreeCall = {
  readonly span: string
  readonly parentSpan: string | null
  /** Hash of process, agent and session. */
  readonly actor: number
  readonly tokens: number
  readonly context: number
}

export function addCall(tree: TraceTree, call: TreeCall): void {
  const { span, parentSpan, tokens, context } = call
  const parent = parentSpan === null ? null : hash32(parentSpan)
  addBranch(tree, call.actor, parent, context)
  tree.lastContext = context
  const depth = parent === null ? 0 : depthUnder(tree, parent)
  tree.depth = Math.max(tree.depth, depth)
  const place = 2 * (tree.calls % MAX_SPANS)
  tree.spans[place] = hash32(span)
  tree.spans[place + 1] = depth
  tree.calls++
  tree.tokens += tokens
}

/**
 * Some frameworks give every step a parent span of its own, so that alone makes no child: it is another actor, or one
 * whose context does not continue the one before.
 */
function addBranch(
  { branches, actors, lastContext }: TraceTree,
  actor: number,
  parent: number | null,
  context: number,
): void {
  if (branches.length >= MAX_BRANCHES) return
  const branch = Math.imul(actor ^ (parent ?? 0), 0x01000193) >>> 0
  if (branches.includes(branch)) return
  const isKnown = actors.includes(actor)
  if (isKnown && context >= lastContext) return
  branches.push(branch)
  if (!isKnown) actors.push(actor)
}

function depthUnder({ spans }: TraceTree, parent: number): number {
  for (let at = 0; at < spans.length; at += 2) {
    if (spans[at] === parent) return (spans[at + 1] ?? 0) + 1
  }
  return 0
}
