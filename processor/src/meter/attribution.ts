import { CRITICALITIES, UNKNOWN, type UsageEvent } from '@tokenfuse/protocol'
import type { SpanFields } from './span-fields.ts'

/** Who called and what for; the literal `unknown` where nobody said. */
export function attributionOf(fields: SpanFields) {
  const criticality = fields.value('criticality')
  return {
    agent: fields.name('agent') ?? UNKNOWN,
    task: fields.name('task') ?? UNKNOWN,
    taskType: fields.name('taskType'),
    difficulty: fields.name('difficulty'),
    step: fields.integer('step'),
    stepName: fields.name('stepName'),
    user: fields.name('user') ?? UNKNOWN,
    session: fields.name('session') ?? fields.name('conversation') ?? UNKNOWN,
    service: fields.name('service') ?? UNKNOWN,
    tags: fields.tags(),
    criticality: CRITICALITIES.find((known) => known === criticality) ?? 'normal',
  } satisfies Partial<UsageEvent>
}
