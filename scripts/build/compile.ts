import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const compiler = join(import.meta.dirname, '../../node_modules/typescript/bin/tsc')

/** Compiles a package to JavaScript and declarations. Throws where the sources have errors, after printing them. */
export function compile(config: string, outDir: string): void {
  const { status } = spawnSync(process.execPath, [compiler, '-p', config, '--outDir', outDir], {
    stdio: 'inherit',
  })
  if (status !== 0) throw new Error(`tsc -p ${config} failed`)
}
