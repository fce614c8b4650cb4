import type { Criticality } from '@tokenfuse/protocol/names'

/** Names longer than this are cut: they end up in every span, counter and table. */
export const NAME_LENGTH_MAX = 256
const TAGS_MAX = 16
const TAG_NAME = /^[A-Za-z0-9_.-]{1,64}$/

/** Who makes the calls inside of a `withAgent`, and what for. What is left out is inherited from around it. */
export type AgentIdentity = {
  readonly agent?: string | undefined
  readonly task?: string | number | undefined
  readonly taskType?: string | undefined
  /** The step's number, its name, or both. */
  readonly step?: number | string | { readonly index?: number; readonly name?: string } | undefined
  readonly user?: string | number | undefined
  readonly session?: string | number | undefined
  readonly difficulty?: string | undefined
  /** `critical`, `normal` or `best_effort`: what is stopped first where money runs short. */
  readonly criticality?: Criticality | undefined
  readonly tags?: Readonly<Record<string, string>> | undefined
}

/** An identity after it was checked; a field that says nothing usable is absent. */
export type KnownIdentity = {
  agent?: string
  task?: string
  taskType?: string
  stepIndex?: number | null
  stepName?: string | null
  user?: string
  session?: string
  difficulty?: string
  criticality?: Criticality
  tags?: Readonly<Record<string, string>>
}

/**
 * Takes what an app said, however it was typed there: what makes no sense is left out and nothing throws, since the
 * app's work matters more than its label.
 */
export function readIdentity(identity: AgentIdentity): KnownIdentity {
  const known: KnownIdentity = { ...readStep(identity.step) }
  for (const field of ['agent', 'task', 'taskType', 'user', 'session', 'difficulty'] as const) {
    const name = readName(identity[field])
    if (name !== null) known[field] = name
  }
  const criticality = readCriticality(identity.criticality)
  if (criticality !== null) known.criticality = criticality
  if (identity.tags !== undefined) known.tags = readTags(identity.tags)
  return known
}

/** A name in usable form, or `null`: trimmed, without control characters, at most 256 characters. */
export function readName(value: unknown): string | null {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint') {
    return null
  }
  const text = String(value)
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
  return text === '' ? null : text.slice(0, NAME_LENGTH_MAX).toWellFormed()
}

export function readCriticality(value: unknown): Criticality | null {
  return value === 'critical' || value === 'normal' || value === 'best_effort' ? value : null
}

/** The first 16 tags with a plain name. */
export function readTags(value: unknown): Record<string, string> {
  const tags: Record<string, string> = {}
  if (typeof value !== 'object' || value === null) return tags
  for (const [name, content] of Object.entries(value).slice(0, TAGS_MAX)) {
    const text = readName(content)
    if (TAG_NAME.test(name) && text !== null) tags[name] = text
  }
  return tags
}

function readStep(step: AgentIdentity['step']): Pick<KnownIdentity, 'stepIndex' | 'stepName'> {
  if (step === undefined || step === null) return {}
  if (typeof step === 'number') return { stepIndex: readIndex(step), stepName: null }
  if (typeof step === 'string') return { stepIndex: null, stepName: readName(step) }
  return { stepIndex: readIndex(step.index), stepName: readName(step.name) }
}

function readIndex(value: unknown): number | null {
  return Number.isSafeInteger(value) ? (value as number) : null
}
