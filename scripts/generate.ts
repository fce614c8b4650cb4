/**
 * `npm run generate`: writes the files that follow from the contracts. With `--check` it writes nothing and fails
 * where a committed file differs.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import {
  environmentPage,
  errorsPage,
  metricsPage,
  ruleActionsPage,
  ruleVariablesPage,
} from './generate/pages.ts'
import { schemas } from './generate/schemas.ts'

const root = join(import.meta.dirname, '..')
const SCHEMA_FOLDER = 'protocol/schemas'
const check = process.argv.includes('--check')

const wanted = new Map([
  ...schemas().map(([name, schema]) => [`${SCHEMA_FOLDER}/${name}.json`, toJson(schema)] as const),
  ['docs/errors.md', errorsPage()],
  ['docs/environment.md', environmentPage()],
  ['docs/metrics.md', metricsPage()],
  ['docs/rule-actions.md', ruleActionsPage()],
  ['docs/rule-variables.md', ruleVariablesPage()],
])

const stray = existsSync(join(root, SCHEMA_FOLDER))
  ? readdirSync(join(root, SCHEMA_FOLDER))
      .map((name) => `${SCHEMA_FOLDER}/${name}`)
      .filter((path) => !wanted.has(path))
  : []
const drifted = [...wanted].filter(([path, text]) => current(path) !== text)

if (!check) {
  for (const [path, text] of drifted) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  for (const path of stray) rmSync(join(root, path))
} else if (drifted.length + stray.length > 0) {
  const paths = [...drifted.map(([path]) => path), ...stray].join(', ')
  process.stderr.write(`out of date: ${paths}\nRun "npm run generate" and commit what it writes.\n`)
  process.exitCode = 1
}

function current(path: string): string | null {
  const file = join(root, path)
  return existsSync(file) ? readFileSync(file, 'utf8') : null
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
