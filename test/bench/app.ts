import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { spawnNode } from '../support/child.ts'
import { finished } from '../support/processes.ts'

const preload = pathToFileURL(
  join(import.meta.dirname, '../../instrumentation/dist/register.js'),
).href

export type AppRun = {
  readonly args: readonly string[]
  /** What the preload is told; `null` runs the app without it. */
  readonly preload: Readonly<Record<string, string>> | null
}

/** Runs one of the small apps in `apps/` and reads the JSON that it prints. */
export async function runBenchApp(name: string, { args, preload: told }: AppRun): Promise<unknown> {
  const child = spawnNode(join(import.meta.dirname, 'apps', name), args, {
    nodeArgs: told ? ['--import', preload] : [],
    environment: { PATH: process.env['PATH'], ...told },
  })
  const { code, output } = await finished(child)
  if (code !== 0) throw new Error(`${name} ended with ${code}: ${output}`)
  return JSON.parse(output) as unknown
}
