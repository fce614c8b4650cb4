import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

type Tool = {
  readonly command: string
  readonly versionArgs: readonly string[]
  readonly needs: string
  readonly fallbacks: readonly string[]
}

const TOOLS: Readonly<Record<'java' | 'mvn' | 'go', Tool>> = {
  java: {
    command: 'java',
    versionArgs: ['-version'],
    needs: 'Java 17 or newer (on Debian: apt-get install openjdk-17-jre-headless)',
    fallbacks: [],
  },
  mvn: {
    command: 'mvn',
    versionArgs: ['-version'],
    needs: 'Maven 3 (on Debian: apt-get install maven)',
    fallbacks: [],
  },
  go: {
    command: 'go',
    versionArgs: ['version'],
    needs: 'Go 1.25 or newer (https://go.dev/doc/install)',
    fallbacks: ['/usr/local/go/bin/go'],
  },
}
export type ToolName = keyof typeof TOOLS

/** What has to be installed before the stack can run, one sentence part each; empty where nothing is missing. */
export function missingTools(names: readonly ToolName[]): string[] {
  return names.filter((name) => pathOf(name) === null).map((name) => TOOLS[name].needs)
}

/**
 * The command of a tool.
 * @throws {Error} that says what to install
 */
export function requireTool(name: ToolName): string {
  const path = pathOf(name)
  if (path === null)
    throw new Error(`${TOOLS[name].command} is not here: install ${TOOLS[name].needs}`)
  return path
}

function pathOf(name: ToolName): string | null {
  const { command, fallbacks, versionArgs } = TOOLS[name]
  const onPath = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, command))
  const found = [...onPath, ...fallbacks].find((path) => existsSync(path))
  if (found === undefined) return null
  // A wrapper that finds nothing to run is no tool.
  return spawnSync(found, versionArgs, { stdio: 'ignore' }).status === 0 ? found : null
}

/**
 * Runs a command to its end.
 * @throws {Error} with the end of what it said, where it fails
 */
export async function runTool(
  command: string,
  args: readonly string[],
  options: { readonly folder: string; readonly environment?: Readonly<Record<string, string>> },
): Promise<string> {
  const child = spawn(command, args, {
    cwd: options.folder,
    env: { ...process.env, ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-MAX_OUTPUT_CHARACTERS)
    })
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code === 0) return output
  throw new Error(
    `${command} ${args.join(' ')} failed with ${String(code)}:\n${output.slice(-4000)}`,
  )
}

const MAX_OUTPUT_CHARACTERS = 1_000_000
