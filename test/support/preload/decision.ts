import type { Decision } from '@tokenfuse/protocol'

/** A decision over everything, in force for a minute; a test says what matters to it. */
export function decision(overrides: Partial<Decision> = {}): Decision {
  return {
    id: 'd-1',
    version: 1,
    tenant: 'default',
    scope: '*',
    budget: null,
    rule: null,
    action: 'block',
    parameters: {},
    reason: 'the task has used up its budget',
    inputs: {
      unit: null,
      spent: null,
      limit: null,
      outstanding: null,
      forecast: null,
      policyVersion: 1,
    },
    from: '2026-01-01T00:00:00.000Z',
    until: '2026-01-01T00:01:00.000Z',
    mode: 'enforce',
    ...overrides,
  }
}
