import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const compiler = join(import.meta.dirname, '../../node_modules/typescript/bin/tsc')

/** Compiles a package to JavaScript and declarations. Throws where the sources have errors. */
export function compile(config: string, outDir: string): void {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [compiler, '-p', config, '--outDir', outDir],
    { encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(`tsc -p ${config} failed\n${stdout}${stderr}`)
}
