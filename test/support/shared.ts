import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

const sharedRoot = join(import.meta.dirname, '../../../shared')

/**
 * The path of recorded data kept beside the checkout (`fixtures/providers`, `data`), or `null` after
 * marking the test as skipped. Throws where `CI` is set: there a missing recording is a failure.
 */
export function sharedPath(t: TestContext, path: string): string | null {
  const found = join(sharedRoot, path)
  if (existsSync(found)) return found
  const message = `recorded data is missing: expected it at ../shared/${path} beside the checkout`
  if (process.env['CI']) throw new Error(message)
  t.skip(message)
  return null
}
