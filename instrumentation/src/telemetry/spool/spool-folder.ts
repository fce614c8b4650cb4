import { lstatSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ENV_SPOOL_DIR } from '@tokenfuse/protocol/names'
import { parseSpoolName } from './spool-file.ts'

/** Of all files of the folder together; beyond it nothing more is written. Running guards may pass it by 1 MB each. */
export const SPOOL_BYTES_MAX = 64 * 1024 * 1024

/** Beyond this many files the folder counts as full: looking through it would take long. */
const SPOOL_FILES_MAX = 4096

export type SpoolFolder = {
  readonly directory: string
  /** Whether somebody has named it. */
  readonly chosen: boolean
}

/** `TOKENFUSE_SPOOL_DIR`, or a folder of this user's in the system's temporary one. */
export function spoolFolder(
  environment: Readonly<Record<string, string | undefined>>,
): SpoolFolder {
  const directory = environment[ENV_SPOOL_DIR]?.trim()
  if (directory) return { directory, chosen: true }
  const uid = process.getuid?.()
  const name = uid === undefined ? 'tokenfuse-spool' : `tokenfuse-spool-${uid}`
  return { directory: join(tmpdir(), name), chosen: false }
}

/** Makes the folder where there is none. Throws where it cannot be used. */
export function openSpoolFolder({ directory, chosen }: SpoolFolder): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  if (chosen) return
  // In a temporary folder anyone can make this one first, and then read or lose what we put there.
  const found = lstatSync(directory)
  if (!found.isDirectory() || !isOurs(found.uid) || (found.mode & 0o022) !== 0) {
    throw new Error(`the spool folder is not this user's alone: ${directory}`)
  }
}

/** Whether a file is this user's own, going by its owner's id. */
export const isOurs = (uid: number) => process.getuid === undefined || uid === process.getuid()

/** Bytes of all files of ours in the folder; endless where there are too many to look at. */
export function spoolFolderBytes(directory: string): number {
  const names = readdirSync(directory).filter((name) => parseSpoolName(name) !== null)
  if (names.length > SPOOL_FILES_MAX) return Number.POSITIVE_INFINITY
  let bytes = 0
  for (const name of names) {
    bytes += statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0
  }
  return bytes
}
