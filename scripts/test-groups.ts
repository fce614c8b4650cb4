import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** Tests that change nothing that another could see, so several files may share a process. */
const GROUPED = [
  'test/cli/output/',
  'test/credit/',
  'test/instrumentation/guard/credit/',
  'test/instrumentation/providers/',
  'test/instrumentation/tools/',
  'test/instrumentation/transport/',
  'test/processor/api/',
  'test/processor/backtest/',
  'test/processor/governor/',
  'test/processor/meter/',
  'test/processor/metrics/',
  'test/processor/notify/',
  'test/processor/policy/',
  'test/protocol/',
]
const FILES_A_GROUP = 10

/**
 * Puts test files together, so that the process and the sources are loaded once for several. A test is told of
 * with its own file as before.
 * @param folder where the groups are written; what was there is removed
 * @param files paths from the root
 * @returns paths from the root, groups first
 */
export function groupTests(root: string, folder: string, files: readonly string[]): string[] {
  const grouped = files.filter((file) => GROUPED.some((prefix) => file.startsWith(prefix)))
  // One or two are run to look at them.
  if (grouped.length < FILES_A_GROUP) return [...files]
  rmSync(join(root, folder), { recursive: true, force: true })
  mkdirSync(join(root, folder), { recursive: true })
  const count = Math.ceil(grouped.length / FILES_A_GROUP)
  const groups = Array.from({ length: count }, (_, group) => {
    const path = join(folder, `group-${group + 1}.test.mjs`)
    // Dealt out in turn, since neighbours take about as long.
    const members = grouped.filter((_file, index) => index % count === group)
    const imports = members.map((file) => `import '${pathToFileURL(join(root, file)).href}'`)
    writeFileSync(join(root, path), `${imports.join('\n')}\n`)
    return path
  })
  return [...groups, ...files.filter((file) => !grouped.includes(file))]
}
