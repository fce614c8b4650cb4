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

/** An event as the log stores it: one JSON object. */
export function encodeEvent(event: LogEvent): string {
  return JSON.stringify(event)
}

/**
 * Reads what `encodeEvent` wrote. It was validated before it was written, so only its kind is looked at.
 * @throws TokenfuseError `log_corrupt` where it is no event, `state_version` where a newer version wrote it
 */
export function decodeEvent(text: string, offset: number): LogEvent {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw corrupt(offset, cause)
  }
  if (!isRecord(value) || typeof value['type'] !== 'string' || typeof value['v'] !== 'number') {
    throw corrupt(offset, undefined)
  }
  if (!Object.hasOwn(KNOWN_TYPES, value['type']) || value['v'] !== 1) {
    throw new TokenfuseError(
      'state_version',
      `entry ${offset} of the event log is "${value['type']}" version ${value['v']}, which this version does not know`,
      { fix: 'Start the version of tokenfuse that wrote it, or a newer one.' },
    )
  }
  return value as LogEvent
}

function corrupt(offset: number, cause: unknown): TokenfuseError {
  return new TokenfuseError('log_corrupt', `entry ${offset} of the event log cannot be read`, {
    fix: 'Restore the data folder from a copy.',
    cause,
  })
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
