import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build, type BuildOptions } from 'esbuild'

/**
 * The bundles must be readable by runtimes far older than the preload supports, since there it has to say so and
 * step aside instead of breaking the app.
 */
const READABLE_BY = 'node16'

/**
 * The preload as single files: it is loaded by every process of an app, and one file starts several times faster
 * than a tree of modules.
 */
export async function bundlePreload(folder: string, outDir: string): Promise<void> {
  const common: BuildOptions = {
    bundle: true,
    platform: 'node',
    target: READABLE_BY,
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
    // Megabytes of ranks, of which a process seldom needs any: loaded by the estimate's worker when it does.
    external: ['js-tiktoken/ranks/*'],
  }
  const register = join(folder, 'src/register.ts')
  await Promise.all([
    build({
      ...common,
      entryPoints: [register],
      format: 'esm',
      outfile: join(outDir, 'register.js'),
      allowOverwrite: true,
    }),
    build({
      ...common,
      entryPoints: [register],
      format: 'cjs',
      outfile: join(outDir, 'register.cjs'),
      // It finds its place by __filename instead.
      logOverride: { 'empty-import-meta': 'silent' },
    }),
    build({
      ...common,
      entryPoints: [join(folder, 'src/register-sdk.ts')],
      format: 'esm',
      outfile: join(outDir, 'register-sdk.js'),
      allowOverwrite: true,
    }),
    // Of its own, since only a Node that is new enough can read it.
    build({
      ...common,
      target: 'node22',
      // Work of many others, whose licences want to be told.
      legalComments: 'linked',
      entryPoints: [join(folder, 'src/sdk/index.ts')],
      format: 'cjs',
      outfile: join(outDir, 'sdk.cjs'),
      // The modules of OpenTelemetry ask for their place as ES modules do.
      define: { 'import.meta.url': 'placeOfBundle' },
      banner: { js: "const placeOfBundle = require('node:url').pathToFileURL(__filename).href" },
    }),
    build({
      ...common,
      entryPoints: [join(folder, 'src/estimate/worker.ts')],
      format: 'esm',
      outfile: join(outDir, 'estimate-worker.js'),
    }),
  ])
  writeFileSync(join(outDir, 'register.d.cts'), 'export {}\n')
}
