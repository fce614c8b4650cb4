import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { TestContext } from 'node:test'
import { sendSpool } from '../../../instrumentation/src/telemetry/spool/index.ts'

export const repository = join(import.meta.dirname, '../../..')
export const registerUrl = pathToFileURL(join(repository, 'instrumentation/src/register.ts')).href
const testModules = join(repository, 'test/package.json')

export type AppResult = {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export type AppOptions = {
  readonly env?: NodeJS.ProcessEnv
  /** False: the app runs alone. Or how Node is told to load it, instead of by `--import` of its sources. */
  readonly preload?: boolean | readonly string[]
  readonly name?: 'app.mjs' | 'app.cjs'
  readonly cwd?: string
  readonly nodeArgs?: readonly string[]
  /** What the app sees as `process.argv.slice(2)`. */
  readonly args?: readonly string[]
  readonly onStdout?: (text: string, child: ReturnType<typeof spawn>) => void
}

/** A folder of its own for a test, with a spool of its own. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'tokenfuse-preload-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/**
 * Runs the source of an app in a process of its own and resolves to what it left. `load(name)` in an app gives a
 * package of the tests.
 */
export async function runApp(
  t: TestContext,
  source: string,
  options: AppOptions = {},
): Promise<AppResult> {
  const { env = {}, preload = true, name = 'app.mjs', args = [], nodeArgs = [] } = options
  const folder = temporaryFolder(t)
  const file = join(folder, name)
  writeFileSync(file, (name === 'app.mjs' ? ESM_HEAD : CJS_HEAD) + source)
  const flags = ['--conditions', 'tokenfuse-source', ...nodeArgs]
  if (preload !== false) flags.push(...(preload === true ? ['--import', registerUrl] : preload))
  const child = spawn(process.execPath, [...flags, file, ...args], {
    cwd: options.cwd ?? folder,
    env: {
      PATH: process.env['PATH'],
      // The preload's sources are many files; compiled once, they start three times faster.
      NODE_COMPILE_CACHE: join(tmpdir(), 'tokenfuse-test-compile-cache'),
      TOKENFUSE_SPOOL_DIR: join(folder, 'spool'),
      OPENAI_API_KEY: 'sk-test',
      ANTHROPIC_API_KEY: 'sk-ant-test',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    options.onStdout?.(stdout, child)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  clearTimeout(timer)
  await sendLeftSpans(join(folder, 'spool'), env['TOKENFUSE_URL'])
  return { code, signal, stdout, stderr }
}

/** What the app had no time to send, its successor would. */
async function sendLeftSpans(directory: string, processor: string | undefined): Promise<void> {
  if (processor === undefined) return
  await sendSpool({ directory, endpoint: `${processor}/v1/traces`, headers: {} })
}

const ESM_HEAD = `import { createRequire } from 'node:module'
const load = createRequire(${JSON.stringify(testModules)})
`
const CJS_HEAD = `const load = require('node:module').createRequire(${JSON.stringify(testModules)})
`
