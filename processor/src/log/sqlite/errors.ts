import { TokenfuseError } from '@tokenfuse/protocol'

// Primary result codes of SQLite: https://sqlite.org/rescode.html
const SQLITE_CORRUPT = 11
const SQLITE_NOTADB = 26
const FIXES: Readonly<Record<number, string>> = {
  5: 'Close the program that holds the file locked.', // BUSY
  6: 'Close the program that holds the file locked.', // LOCKED
  8: 'Make the data folder writable.', // READONLY
  10: 'Look at the disk and its messages in the log of the system.', // IOERR
  13: 'Free space on the disk of the data folder; nothing else is needed.', // FULL
  14: 'Make the data folder readable and writable.', // CANTOPEN
}

/** What SQLite threw, as an error of ours; anything that is no error of SQLite comes back as it is. */
export function fromSqliteError(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') {
    return error
  }
  const primaryCode = error.errcode & 0xff
  if (primaryCode === SQLITE_CORRUPT || primaryCode === SQLITE_NOTADB) {
    return new TokenfuseError('log_corrupt', `${path} cannot be read: ${error.message}`, {
      fix: 'Restore it from a copy, or move it away to begin anew.',
      cause: error,
    })
  }
  return new TokenfuseError('log_unavailable', `${path} cannot be used: ${error.message}`, {
    fix: FIXES[primaryCode] ?? 'Look at the disk of the data folder.',
    retryable: true,
    cause: error,
  })
}
