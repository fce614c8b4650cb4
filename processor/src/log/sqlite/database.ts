import { DatabaseSync } from 'node:sqlite'
import { TokenfuseError } from '@tokenfuse/protocol'
import { fromSqliteError } from './errors.ts'

/** 1: every entry an object of JSON. 2: calls in the compact form, beside such objects from before. */
export const SCHEMA_VERSION = 2
const UPGRADED_VERSION = 1

const SCHEMA = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID, STRICT;
  CREATE TABLE events (
    offset INTEGER PRIMARY KEY,
    log_time_ms INTEGER NOT NULL,
    type TEXT NOT NULL,
    payload TEXT NOT NULL
  ) STRICT;
  CREATE TABLE refusals (id TEXT PRIMARY KEY, offset INTEGER NOT NULL) WITHOUT ROWID, STRICT;
  CREATE INDEX refusals_offset ON refusals(offset);
  CREATE TABLE state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID, STRICT;
  CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY,
    log_time_ms INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    source TEXT NOT NULL,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    content_type TEXT NOT NULL,
    payload BLOB NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX dead_letters_place ON dead_letters(source) WHERE source GLOB '*@*';
  INSERT INTO meta VALUES ('schema_version', '${SCHEMA_VERSION}');
`

/**
 * Opens the file, or makes it.
 * @param maxBytes how large it may get; `null` for no bound
 * @throws TokenfuseError `log_unavailable`, `log_corrupt`, or `state_version` where a newer version wrote it
 */
export function openDatabase(path: string, maxBytes: number | null): DatabaseSync {
  let database: DatabaseSync | null = null
  try {
    // A foreign lock is waited for only briefly, since the wait blocks the whole process.
    database = new DatabaseSync(path, { timeout: 100 })
    // FULL: a commit is on the disk when it returns, so that "acknowledged" survives a power failure too.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
    database.exec('PRAGMA journal_size_limit = 67108864')
    prepareSchema(database, path)
    if (maxBytes !== null) limitPages(database, maxBytes)
    return database
  } catch (error) {
    database?.close()
    throw fromSqliteError(error, path)
  }
}

function prepareSchema(database: DatabaseSync, path: string): void {
  const hasMeta = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'meta'").get()
  if (!hasMeta) {
    inTransaction(database, () => database.exec(SCHEMA))
    return
  }
  const version = Number(readMeta(database, 'schema_version'))
  if (version === SCHEMA_VERSION) return
  if (version === UPGRADED_VERSION) {
    // So that a version which does not read the new form says so.
    writeMeta(database, 'schema_version', String(SCHEMA_VERSION))
    return
  }
  throw new TokenfuseError(
    'state_version',
    `${path} has layout ${version}; this version of tokenfuse reads layout ${SCHEMA_VERSION}`,
    { fix: 'Start the version of tokenfuse that wrote it, or a newer one.' },
  )
}

export function readMeta(database: DatabaseSync, key: string): string | null {
  const value = database.prepare('SELECT value FROM meta WHERE key = ?').get(key)?.['value']
  return typeof value === 'string' ? value : null
}

export function writeMeta(database: DatabaseSync, key: string, value: string): void {
  database.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)').run(key, value)
}

/** Runs `work` in one transaction: all of it is on the disk, or nothing. */
export function inTransaction<Result>(database: DatabaseSync, work: () => Result): Result {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    // SQLite ends the transaction itself after some errors, such as a full disk.
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

function limitPages(database: DatabaseSync, maxBytes: number): void {
  const pages = Math.max(1, Math.floor(maxBytes / readPragma(database, 'page_size')))
  database.exec(`PRAGMA max_page_count = ${pages}`)
}

/** Bytes in use, free pages inside the file left out. */
export function usedBytes(database: DatabaseSync): number {
  const pages = readPragma(database, 'page_count') - readPragma(database, 'freelist_count')
  return pages * readPragma(database, 'page_size')
}

function readPragma(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name])
}
