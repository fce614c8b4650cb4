import { parseYaml } from '../parse.ts'
import { type Rule, rulesFileSchema } from './schema.ts'

/**
 * Reads a rules file whole.
 * @param file the file's name, for messages only
 * @throws PolicyError with every problem at once
 */
export function parseRules(text: string, file: string): Rule[] {
  const { rules, alerts } = parseYaml(text, file, rulesFileSchema)
  return rules ?? alerts ?? []
}
