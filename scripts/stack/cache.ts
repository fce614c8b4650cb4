import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where what was built stays from one run to the next; it may be deleted at any time. */
export function cacheDirectory(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'tokenfuse')
}

/**
 * The folder that `make` fills, made once for each content of `sources`. It has its name only when it is whole, so
 * that an interrupted build is begun anew.
 * @param make fills the folder it is given
 */
export async function builtOnce(
  name: string,
  sources: readonly string[],
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(cacheDirectory(), `${name}-${hashOf(sources)}`)
  if (existsSync(folder)) return folder
  const unfinished = `${folder}.${process.pid}.new`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { recursive: true })
  try {
    await make(unfinished)
    // Another process may have been quicker with the same.
    if (!existsSync(folder)) renameSync(unfinished, folder)
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
  return folder
}

function hashOf(files: readonly string[]): string {
  const hash = createHash('sha256')
  for (const file of files) {
    const bytes = readFileSync(file)
    hash.update(`${bytes.byteLength}\n`).update(bytes)
  }
  return hash.digest('hex').slice(0, 16)
}
