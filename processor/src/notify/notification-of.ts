import type { DetectionLevel, Notification, Severity } from '@tokenfuse/protocol'
import type { Effect } from '../governor/effect.ts'

const SEVERITIES: Readonly<Record<DetectionLevel, Severity>> = {
  notice: 'P3',
  cheaper: 'P2',
  pause: 'P1',
  kill: 'P1',
}

/** What people are told of an effect: that a rule holds, or that something was detected; mostly `null`. */
export function notificationOf(effect: Effect): Notification | null {
  if (effect.type === 'notify') return effect.notification
  if (effect.type !== 'detection' || effect.change === 'ended') return null
  const { id, kind, level, scope, from, reason, action } = effect.detection
  return {
    id: `${id}-${level}`,
    time: from,
    source: 'detection',
    name: kind,
    severity: SEVERITIES[level],
    action,
    scope,
    text: `${kind} of ${scope}: ${reason}`,
  }
}
