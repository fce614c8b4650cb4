import {
  creditReportSchema,
  creditRequestSchema,
  decisionSchema,
  logEventSchema,
  policySchema,
  rulesFileSchema,
  usageEventSchema,
} from '@tokenfuse/protocol'
import { z } from 'zod'

const PUBLISHED = {
  'usage-event': usageEventSchema,
  policy: policySchema,
  rules: rulesFileSchema,
  decision: decisionSchema,
  'log-event': logEventSchema,
  'credit-report': creditReportSchema,
  'credit-request': creditRequestSchema,
}

/** The published JSON Schemas, by file name: what is accepted, before defaults are filled in. */
export function schemas(): [name: string, schema: unknown][] {
  return Object.entries(PUBLISHED).map(([name, schema]) => [
    name,
    z.toJSONSchema(schema, { io: 'input', target: 'draft-2020-12' }),
  ])
}
