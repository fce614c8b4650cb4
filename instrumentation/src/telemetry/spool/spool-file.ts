import { hostname } from 'node:os'

/**
 * The spool is a folder of small files of spans that nobody has acknowledged yet. A file's name tells whose it is:
 *
 *     <destination>.<host>.<pid>.<guard>-<sequence>.live      its guard still writes to it
 *                                                 .spool     left behind; whoever comes first may send it
 *                                                 .<host>.<pid>.claim   being sent by that process
 *                                                 .bad       read, and partly not understood
 *
 * Only renames move a file from one state to the next, so of two processes one gets it. A file of a process that is
 * gone (killed in the middle of anything) is as good as left behind.
 */
export type SpoolFile = {
  readonly name: string
  readonly destination: string
  readonly guardId: string
  readonly state: 'live' | 'spool' | 'claim' | 'bad'
  /** Who has it now; `null` where nobody has. */
  readonly owner: Owner | null
}

export type Owner = { readonly host: string; readonly pid: number }

/** No owner stays silent on a file for longer: it begins a new one well before, see `SEGMENT_IDLE_MS`. */
const SILENT_MS = 3_600_000
/** After this a guard does not write on to a file of its own that it has not written to. */
export const SEGMENT_IDLE_MS = SILENT_MS / 2

/** Beyond what a processor keeps of its own log there is nothing that a span could still be counted in. */
export const RETENTION_MS = 30 * 24 * 3_600_000

const NAME =
  /^([0-9a-f]{16})\.([0-9a-f]{8})\.(\d+)\.([\w-]{8,64})-\d+\.(?:(live|spool|bad)|([0-9a-f]{8})\.(\d+)\.claim)$/

let self: Owner | null = null

/** This process. The host stands beside it since ids mean something on one host alone, and hosts may share a folder. */
export function thisOwner(): Owner {
  self ??= {
    host: process
      .getBuiltinModule('node:crypto')
      .createHash('sha256')
      .update(hostname())
      .digest('hex')
      .slice(0, 8),
    pid: process.pid,
  }
  return self
}

/** `null` for a name that is none of ours. */
export function parseSpoolName(name: string): SpoolFile | null {
  const match = NAME.exec(name)
  if (!match) return null
  const [, destination = '', host = '', pid, guardId = '', state, claimHost = '', claimPid] = match
  if (state === undefined) {
    const owner = { host: claimHost, pid: Number(claimPid) }
    return { name, destination, guardId, state: 'claim', owner }
  }
  const owner = state === 'live' ? { host, pid: Number(pid) } : null
  return { name, destination, guardId, state: state as 'live' | 'spool' | 'bad', owner }
}

export function liveName(destination: string, guardId: string, sequence: number): string {
  const { host, pid } = thisOwner()
  // Padded, so that in the order of names a guard's first words come before its last.
  const number = String(sequence).padStart(6, '0')
  return `${destination}.${host}.${pid}.${guardId}-${number}.live`
}

/** The same file's name in another state. */
export function renamed(name: string, state: 'spool' | 'bad' | 'claim'): string {
  const base = name.replace(/\.(live|spool|bad|[0-9a-f]{8}\.\d+\.claim)$/, '')
  const { host, pid } = thisOwner()
  const owner = state === 'claim' ? `.${host}.${pid}` : ''
  return `${base}${owner}.${state}`
}

/** Whether a file may be taken from its owner, by when it was last touched. */
export function isAbandoned(owner: Owner, touchedMs: number, nowMs: number): boolean {
  if (nowMs - touchedMs > SILENT_MS) return true
  const { host, pid } = thisOwner()
  if (owner.host !== host) return false
  // In a container that is started again the same id comes back, and it is not that process.
  if (owner.pid === pid) return touchedMs < nowMs - process.uptime() * 1000
  return !isRunning(owner.pid)
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Someone else's process is one all the same.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
