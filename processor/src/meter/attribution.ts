import {
  type Caller,
  CRITICALITIES,
  MAX_CALLERS,
  UNKNOWN,
  type UsageEvent,
} from '@tokenfuse/protocol'
import { z } from 'zod'
import { parseJson } from './json-text.ts'
import { boundedName } from './names.ts'
import type { SpanFields } from './span-fields.ts'

const callersSchema = z.array(z.object({ agent: z.string().min(1), task: z.string().min(1) }))

/** Who called and what for; the literal `unknown` where nobody said. */
export function attributionOf(fields: SpanFields) {
  const criticality = fields.value('criticality')
  const callers = callersOf(fields)
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
    ...(callers.length > 0 && { callers }),
  } satisfies Partial<UsageEvent>
}

/** What cannot be read is nobody: a call loses its callers, never its usage. */
function callersOf(fields: SpanFields): Caller[] {
  const text = fields.text('callers')
  const parsed = text === null ? null : callersSchema.safeParse(parseJson(text))
  return (parsed?.data ?? [])
    .slice(0, MAX_CALLERS)
    .map(({ agent, task }) => ({ agent: boundedName(agent), task: boundedName(task) }))
}
