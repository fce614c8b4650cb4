import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import type { ProcessorOptions } from '../../processor/src/options.ts'
import { startProcessor } from '../../processor/src/start-processor.ts'

const MAIN = join(import.meta.dirname, '../../processor/src/main.ts')

/** A folder that is gone after the test. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'tokenfuse-test-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export type Called = { readonly url: string; readonly token: string }

/** A processor in this process, on a free port, with a data folder of its own. */
export async function runProcessor(t: TestContext, options: Partial<ProcessorOptions> = {}) {
  const folder = temporaryFolder(t)
  const dataDirectory = join(folder, 'data')
  const processor = await startProcessor({ dataDirectory, port: 0, ...options })
  t.after(() => processor.close())
  return { processor, dataDirectory, url: processor.url, token: processor.token }
}

/** A processor as a process of its own, for tests that kill it. */
export async function spawnProcessor(t: TestContext, dataDirectory: string) {
  const child = spawn(
    process.execPath,
    ['-C', 'tokenfuse-source', MAIN, '--data', dataDirectory, '--port', '0'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const exited = once(child, 'exit')
  const kill = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    await exited
  }
  t.after(() => kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })
  const [line] = await Promise.race([
    once(lines, 'line'),
    exited.then(() => {
      throw new Error('the processor ended before it was ready')
    }),
  ])
  const { url } = JSON.parse(String(line)) as { url: string }
  const token = readFileSync(join(dataDirectory, 'token'), 'utf8').trim()
  return { url, token, kill }
}

/** Calls the control API with its token. A body that is no bytes is sent as JSON. */
export function call(
  { url, token }: Called,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const isBytes = body instanceof Uint8Array
  return fetch(url + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: isBytes ? Uint8Array.from(body) : JSON.stringify(body) }),
  })
}

/** What the control API answers at a path; throws where that is no success. */
export async function ask<Answer>(called: Called, path: string, body?: unknown): Promise<Answer> {
  const response = await call(called, path, body)
  const text = await response.text()
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`)
  return JSON.parse(text) as Answer
}
