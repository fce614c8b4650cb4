import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { parseSpoolLines } from '../../../../instrumentation/src/telemetry/spool/spool-lines.ts'

/** A folder of the test's own, gone after it. */
export function temporaryFolder(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'tokenfuse-test-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

export type FoundFile = {
  readonly name: string
  readonly state: string
  readonly mode: number
  readonly spanIds: readonly string[]
}

/** What is in a spool folder, by name. */
export function spoolFiles(directory: string): FoundFile[] {
  return readdirSync(directory)
    .toSorted()
    .map((name) => {
      const path = join(directory, name)
      const { spans } = parseSpoolLines(readFileSync(path, 'utf8'))
      return {
        name,
        state: name.slice(name.lastIndexOf('.') + 1),
        mode: statSync(path).mode & 0o777,
        spanIds: spans.map(({ json }) => (JSON.parse(json) as { spanId: string }).spanId),
      }
    })
}

export const spooledIds = (directory: string) =>
  spoolFiles(directory).flatMap(({ spanIds }) => spanIds)
