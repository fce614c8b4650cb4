import { TokenfuseError } from '@tokenfuse/protocol'

export type Roles = { readonly meter: boolean; readonly governor: boolean }

/**
 * Reads `meter,governor`.
 * @param isShared whether the log is in Kafka; without it, one process has both roles
 * @throws TokenfuseError `bad_request`
 */
export function readRoles(text: string, isShared: boolean): Roles {
  const names = text.split(',').map((name) => name.trim())
  const unknown = names.find((name) => name !== 'meter' && name !== 'governor')
  if (unknown !== undefined) {
    throw new TokenfuseError('bad_request', `"${unknown}" is no role`, {
      fix: 'Use meter, governor, or both with a comma between them.',
    })
  }
  const roles = { meter: names.includes('meter'), governor: names.includes('governor') }
  if (isShared || (roles.meter && roles.governor)) return roles
  throw new TokenfuseError('bad_request', 'one role alone needs Kafka between it and the other', {
    fix: 'Name its brokers, or leave both roles.',
  })
}
