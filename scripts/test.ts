/**
 * `npm test [-- FILTER ...] [--at-once FILES] [--file-timeout-s SECONDS]`: runs the tests whose path contains one of the
 * filters; all but the slow ones without.
 * A skipped test is always printed, and where `CI` is set it has to give its reason.
 */
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { groupTests } from './test-groups.ts'

const root = join(import.meta.dirname, '..')
/** They need services or minutes, and run only when named. */
const SLOW = [/^test\/stack\//, /\.slow\.test\.ts$/]
/** The longest begin first, so that no core waits for them at the end. */
const LONGEST = ['test/cli/run/', 'test/e2e/']

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    // One more than there are cores: many tests wait for processes of their own.
    'at-once': { type: 'string', default: String(availableParallelism() + 1) },
    'file-timeout-s': { type: 'string', default: '120' },
  },
})
const filters = positionals.map((filter) => filter.replace(/^\.\//, ''))
const files = globSync('test/**/*.test.ts', {
  cwd: root,
  exclude: ['**/node_modules/**', 'test/lint/planted/**'],
})
  .filter((file) =>
    filters.length > 0
      ? filters.some((filter) => file.includes(filter))
      : !SLOW.some((pattern) => pattern.test(file)),
  )
  .sort((a, b) => Number(isLong(b)) - Number(isLong(a)) || (a < b ? -1 : 1))
if (files.length === 0) {
  process.stderr.write(`no test file has ${filters.join(' or ')} in its path\n`)
  process.exit(1)
}

const seedArgs =
  process.env['FUZZ_SEED'] === undefined
    ? []
    : ['--import', pathToFileURL(join(root, 'test/support/property-seed.ts')).href]
// Each test file is a process of its own, and most load the same sources.
process.env['NODE_COMPILE_CACHE'] ??= join(root, 'node_modules/.cache/node-compile')

const skips: { readonly name: string; readonly reason: string | null }[] = []
const tests = run({
  files: groupTests(root, 'node_modules/.cache/test-groups', files).map((file) => join(root, file)),
  concurrency: Number(values['at-once']),
  timeout: Number(values['file-timeout-s']) * 1000,
  execArgv: ['-C', 'tokenfuse-source', ...seedArgs],
})
tests.on('test:pass', ({ name, skip }) => {
  if (skip !== undefined) skips.push({ name, reason: typeof skip === 'string' ? skip : null })
})
tests.on('test:fail', () => {
  process.exitCode = 1
})
tests.on('end', () => process.once('beforeExit', reportSkips))
tests.compose(new spec()).pipe(process.stdout)

function isLong(file: string): boolean {
  return LONGEST.some((folder) => file.startsWith(folder))
}

function reportSkips(): void {
  for (const { name, reason } of skips) {
    process.stderr.write(`SKIPPED ${name}: ${reason ?? 'no reason given'}\n`)
  }
  if (process.env['CI'] && skips.some(({ reason }) => reason === null)) {
    process.stderr.write('CI is set: a skipped test has to give its reason\n')
    process.exitCode = 1
  }
}
