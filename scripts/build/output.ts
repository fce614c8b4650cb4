import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'

const STAGING_PREFIX = '.staging-'

/**
 * Lets `produce` fill a folder of its own, then makes `outDir` equal to it file by file. A process that reads
 * `outDir` meanwhile sees each file whole, and a build that fails leaves it as it was.
 */
export async function withStagedOutput(
  outDir: string,
  produce: (staging: string) => Promise<void>,
): Promise<void> {
  mkdirSync(outDir, { recursive: true })
  // Inside the output folder, where no tool that reads sources looks.
  const staging = mkdtempSync(join(outDir, STAGING_PREFIX))
  try {
    await produce(staging)
    const produced = filesUnder(staging)
    for (const file of produced) replace(join(staging, file), join(outDir, file))
    for (const file of filesUnder(outDir)) {
      const kept = produced.includes(file) || file.startsWith(STAGING_PREFIX)
      if (!kept) rmSync(join(outDir, file))
    }
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
}

function replace(from: string, to: string): void {
  if (existsSync(to) && readFileSync(from).equals(readFileSync(to))) return
  mkdirSync(dirname(to), { recursive: true })
  renameSync(from, to)
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
}
