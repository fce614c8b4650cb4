import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Budget } from '@tokenfuse/protocol/names'
import { openSpoolFolder, spoolFolder } from '../telemetry/spool/spool-folder.ts'
import { destinationsOf, processorTarget } from '../transport/target.ts'
import type { Surroundings } from '../transport/target.ts'

const FILE_BYTES_MAX = 1024 * 1024

/**
 * The last policy that any process of this user heard from its processor, on disk: a process that starts while the
 * processor is away knows at least which budgets there are and what each says of that.
 */
export class PolicyOfBefore {
  readonly #surroundings: Surroundings

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings
  }

  /** `null` where there is none, or none that can be read. */
  read(): readonly Budget[] | null {
    try {
      const text = readFileSync(this.#path(), 'utf8')
      if (text.length > FILE_BYTES_MAX) return null
      const { v, budgets } = JSON.parse(text) as { v: unknown; budgets: unknown }
      return v === 1 && Array.isArray(budgets) ? (budgets as Budget[]) : null
    } catch {
      return null
    }
  }

  /** Never throws: without the file the next process waits a little, or does as it is told for that case. */
  write(budgets: readonly Budget[]): void {
    try {
      const path = this.#path()
      openSpoolFolder(spoolFolder(this.#surroundings.environment))
      const draft = `${path}.${process.pid}`
      writeFileSync(draft, JSON.stringify({ v: 1, budgets }), { mode: 0o600 })
      renameSync(draft, path)
    } catch {
      // A full disk, a folder that is not ours.
    }
  }

  #path(): string {
    const [destination] = destinationsOf(processorTarget(this.#surroundings))
    return join(spoolFolder(this.#surroundings.environment).directory, `policy-${destination}.json`)
  }
}
