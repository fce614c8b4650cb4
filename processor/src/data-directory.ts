import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ENDPOINT_FILE, TOKEN_FILE, TokenfuseError } from '@tokenfuse/protocol'

export type Endpoint = { readonly url: string; readonly pid: number }

/** In the data folder: the event log. */
export const EVENT_LOG_FILE = 'events.db'

const MIN_TOKEN_LENGTH = 32

/** The folder of one processor: its lock, control token, endpoint and event log. */
export class DataDirectory {
  readonly path: string
  readonly #lock: DatabaseSync

  /**
   * Makes the folder where it is missing and takes its lock, which the system releases however the process ends.
   * @throws TokenfuseError `already_running`, or `log_unavailable` where the folder cannot be written
   */
  constructor(path: string) {
    this.path = resolve(path)
    try {
      mkdirSync(this.path, { recursive: true, mode: 0o700 })
      writeFileSync(join(this.path, '.gitignore'), '*\n')
    } catch (cause) {
      throw new TokenfuseError(
        'log_unavailable',
        `the data folder ${this.path} cannot be written`,
        {
          fix: 'Make it writable, or name another with --data.',
          cause,
        },
      )
    }
    this.#lock = takeLock(this.path)
  }

  /** What people have not been told yet. */
  get outboxPath(): string {
    return join(this.path, 'notifications.json')
  }

  get eventLogPath(): string {
    return join(this.path, EVENT_LOG_FILE)
  }

  /** The state of the governor where the event log is elsewhere. */
  get statePath(): string {
    return join(this.path, 'state.db')
  }

  /** The control token: made once, readable by the owner alone, kept across restarts. */
  token(): string {
    const path = join(this.path, TOKEN_FILE)
    const kept = readIfThere(path)?.trim() ?? ''
    if (kept.length >= MIN_TOKEN_LENGTH) return kept
    const token = randomBytes(32).toString('base64url')
    replaceFile(path, `${token}\n`)
    return token
  }

  writeEndpoint(endpoint: Endpoint): void {
    replaceFile(join(this.path, ENDPOINT_FILE), `${JSON.stringify(endpoint)}\n`)
  }

  /** Removes the endpoint and releases the lock. */
  close(): void {
    rmSync(join(this.path, ENDPOINT_FILE), { force: true })
    this.#lock.close()
  }
}

function takeLock(directory: string): DatabaseSync {
  const lock = new DatabaseSync(join(directory, 'lock.db'), { timeout: 0 })
  try {
    // The lock is what is wanted of it; nothing is ever written.
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    return lock
  } catch (cause) {
    lock.close()
    const endpoint = readEndpoint(directory)
    const who = endpoint ? ` (pid ${endpoint.pid}, ${endpoint.url})` : ''
    throw new TokenfuseError('already_running', `a processor${who} already uses ${directory}`, {
      fix: 'Use that one, stop it first, or name another folder with --data.',
      cause,
    })
  }
}

/** Where the processor of a data folder answers, as it said last; `null` where nothing is said. */
export function readEndpoint(directory: string): Endpoint | null {
  try {
    const value: unknown = JSON.parse(readFileSync(join(directory, ENDPOINT_FILE), 'utf8'))
    if (typeof value !== 'object' || value === null) return null
    const { url, pid } = value as Record<string, unknown>
    return typeof url === 'string' && typeof pid === 'number' ? { url, pid } : null
  } catch {
    return null
  }
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw new TokenfuseError('file_unreadable', `${path} cannot be read`, {
      fix: 'Make it readable for the user that runs the processor.',
      cause: error,
    })
  }
}

/** Readers see the old text or the new, never half of one. */
function replaceFile(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.new`
  writeFileSync(temporary, text, { mode: 0o600 })
  renameSync(temporary, path)
}
