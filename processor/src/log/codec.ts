import { type LogEvent, TokenfuseError } from '@tokenfuse/protocol'

const KNOWN_TYPES: Readonly<Record<LogEvent['type'], true>> = {
  usage: true,
  'credit.report': true,
  'task.end': true,
  'policy.set': true,
  'override.set': true,
  'decision.lift': true,
  tick: true,
}

/** An event as anyone can read it: one JSON object. */
export function encodeEvent(event: LogEvent): string {
  return JSON.stringify(event)
}

/**
 * Reads what `encodeEvent` wrote. It was validated before it was written, so only its kind is looked at.
 * @throws TokenfuseError `log_corrupt` where it is no event, `state_version` where a newer version wrote it
 */
export function decodeEvent(text: string, offset: number): LogEvent {
  const value = parsed(text, offset)
  if (!isRecord(value) || typeof value['type'] !== 'string' || typeof value['v'] !== 'number') {
    throw corrupt(offset)
  }
  if (!isKnownType(value['type']) || value['v'] !== 1) {
    throw unknownVersion(offset, value['type'], value['v'])
  }
  return value as LogEvent
}

/** Whether events of a log are of this type. */
export function isKnownType(type: unknown): boolean {
  return typeof type === 'string' && Object.hasOwn(KNOWN_TYPES, type)
}

/** @throws TokenfuseError `log_corrupt` where it is no JSON */
export function parsed(text: string, offset: number): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw corrupt(offset, cause)
  }
}

export function corrupt(offset: number, cause?: unknown): TokenfuseError {
  return new TokenfuseError('log_corrupt', `entry ${offset} of the event log cannot be read`, {
    fix: 'Restore the data folder from a copy.',
    cause,
  })
}

export function unknownVersion(offset: number, type: string, version: number): TokenfuseError {
  return new TokenfuseError(
    'state_version',
    `entry ${offset} of the event log is "${type}" version ${version}, which this version does not know`,
    { fix: 'Start the version of tokenfuse that wrote it, or a newer one.' },
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
