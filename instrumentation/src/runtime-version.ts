/** The oldest version of Node whose fetch and thread behaviour the preload relies on. */
export const NODE_NEEDED = '22.15'

/** Whether the preload runs on this version of Node. */
export function isSupported(nodeVersion: string): boolean {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number)
  const [majorNeeded = 0, minorNeeded = 0] = NODE_NEEDED.split('.').map(Number)
  return major > majorNeeded || (major === majorNeeded && minor >= minorNeeded)
}
