import { userInfo } from 'node:os'

/** Who works in this shell. */
export function userName(): string {
  try {
    return userInfo().username
  } catch {
    // A user that no password file knows.
    return 'unknown'
  }
}
