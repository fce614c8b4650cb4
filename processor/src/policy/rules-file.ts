import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { parseRules, type Rule } from '@tokenfuse/protocol'
import { readText } from './policy-file.ts'

/** Beside `tokenfuse.yaml`. */
export const RULES_FILE = 'budget-alerts.yaml'

/** The file that holds where there is none beside the policy. */
const DEFAULT_FILE = new URL('../../budget-alerts.yaml', import.meta.url)

/**
 * Reads the rules file.
 * @param required whether it must be there
 * @returns `null` where it is not there and need not be
 * @throws PolicyError with every problem; TokenfuseError `policy_unreadable`
 */
export function readRulesFile(path: string, required: boolean): Rule[] | null {
  const text = readText(path, required)
  return text === null ? null : parseRules(text, basename(path))
}

/** The rules that are shipped: they hold where there is no file. */
export function defaultRules(): Rule[] {
  return parseRules(readFileSync(DEFAULT_FILE, 'utf8'), RULES_FILE)
}
