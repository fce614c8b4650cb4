/**
 * Builds what is published: JavaScript and types of each package, and the preload as single bundled files. What has
 * not changed since the last build is left alone, so that every test run can start with this. With the name of a folder
 * only that package is built, and those that it needs.
 */
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundlePreload } from './build/bundle.ts'
import { inputsHash, isBuilt, rememberBuilt } from './build/inputs.ts'
import { compile } from './build/compile.ts'
import { withStagedOutput } from './build/output.ts'

const root = join(import.meta.dirname, '..')

type Target = {
  readonly folder: string
  /** Folders whose built types this one compiles against; they come earlier in the list. */
  readonly needs: readonly string[]
  readonly bundle?: (folder: string, outDir: string) => Promise<void>
}

const TARGETS: readonly Target[] = [
  { folder: 'protocol', needs: [] },
  { folder: 'instrumentation', needs: ['protocol'], bundle: bundlePreload },
  { folder: 'processor', needs: ['protocol'] },
  { folder: 'cli', needs: ['protocol', 'instrumentation', 'processor'] },
]

const only = process.argv[2]
const wanted = TARGETS.filter(
  ({ folder }) =>
    only === undefined ||
    folder === only ||
    TARGETS.find((target) => target.folder === only)?.needs.includes(folder),
)

for (const { folder, needs, bundle } of wanted) {
  const hash = inputsHash(root, [folder, ...needs])
  const outDir = join(root, folder, 'dist')
  if (isBuilt(outDir, hash)) continue
  const startMs = performance.now()
  await withStagedOutput(outDir, async (staging) => {
    compile(join(root, folder, 'tsconfig.build.json'), staging)
    await bundle?.(join(root, folder), staging)
  })
  // npm packs a licence only from the package's own folder.
  copyFileSync(join(root, 'LICENSE'), join(root, folder, 'LICENSE'))
  rememberBuilt(outDir, hash)
  process.stdout.write(`built ${folder} in ${Math.round(performance.now() - startMs)} ms\n`)
}
