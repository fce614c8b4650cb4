import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'

/** Of everything that the output of a build depends on: sources, their settings, the tools and this script. */
export function inputsHash(root: string, folders: readonly string[]): string {
  const hash = createHash('sha256').update(process.version)
  const paths = [
    join(root, 'package-lock.json'),
    join(root, 'tsconfig.json'),
    ...filesUnder(join(root, 'scripts/build')),
    ...folders.flatMap((folder) => [
      join(root, folder, 'package.json'),
      join(root, folder, 'tsconfig.build.json'),
      ...filesUnder(join(root, folder, 'src')),
    ]),
  ]
  for (const path of paths) {
    hash.update(`\n${relative(root, path)}\n`).update(readFileSync(path))
  }
  return hash.digest('hex')
}

/** The hash lies beside the output, so that removing the output removes it too. */
const HASH_FILE = '.inputs'

export function isBuilt(outDir: string, hash: string): boolean {
  const file = join(outDir, HASH_FILE)
  return existsSync(file) && readFileSync(file, 'utf8') === hash
}

export function rememberBuilt(outDir: string, hash: string): void {
  writeFileSync(join(outDir, HASH_FILE), hash)
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}
