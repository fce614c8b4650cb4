import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** Tests of pure code: they change nothing that another could see, so several files may share a process. */
const PURE = [
  'test/credit/',
  'test/instrumentation/guard/credit/',
  'test/instrumentation/providers/',
  'test/instrumentation/tools/',
  'test/processor/governor/',
  'test/processor/meter/',
  'test/protocol/',
]
const FILES_A_GROUP = 7

/**
 * Puts test files of pure code together, so that the process and the sources are loaded once for several. A test is told of
 * with its own file as before.
 * @param folder where the groups are written; what was there is removed
 * @param files paths from the root
 * @returns paths from the root, groups first
 */
export function groupTests(root: string, folder: string, files: readonly string[]): string[] {
  const pure = files.filter((file) => PURE.some((prefix) => file.startsWith(prefix)))
  // One or two are run to look at them.
  if (pure.length < FILES_A_GROUP) return [...files]
  rmSync(join(root, folder), { recursive: true, force: true })
  mkdirSync(join(root, folder), { recursive: true })
  const count = Math.ceil(pure.length / FILES_A_GROUP)
  const groups = Array.from({ length: count }, (_, group) => {
    const path = join(folder, `group-${group + 1}.test.mjs`)
    // Dealt out in turn, since neighbours take about as long.
    const members = pure.filter((_file, index) => index % count === group)
    const imports = members.map((file) => `import '${pathToFileURL(join(root, file)).href}'`)
    writeFileSync(join(root, path), `${imports.join('\n')}\n`)
    return path
  })
  return [...groups, ...files.filter((file) => !pure.includes(file))]
}
