import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { test, type TestContext } from 'node:test'

const root = join(import.meta.dirname, '../..')
const planted = join(import.meta.dirname, 'planted')

/** A copy of the workspace that holds the real lint configuration and, in the real folders, the planted files. */
function plantedWorkspace(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'tokenfuse-lint-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const path of ['.oxlintrc.json', '.gitignore', 'tsconfig.json', 'scripts/lint']) {
    cpSync(join(root, path), join(folder, path), { recursive: true })
  }
  cpSync(planted, folder, { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir')
  return folder
}

/** `file:line rule` for each finding, sorted. */
function lint(folder: string): string[] {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/oxlint/bin/oxlint'), '--format=json'],
    { cwd: folder, encoding: 'utf8' },
  )
  assert.equal(status, 1, `the planted violations should fail the lint: ${stdout}${stderr}`)
  const { diagnostics } = JSON.parse(stdout) as {
    diagnostics: { code: string; filename: string; labels: { span: { line: number } }[] }[]
  }
  return diagnostics
    .map(({ code, filename, labels }) => `${filename}:${labels[0]?.span.line ?? 1} ${code}`)
    .sort()
}

/** What the comments at the ends of the planted lines ask for. */
function expected(): string[] {
  return readdirSync(planted, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .flatMap((entry) => {
      const path = join(entry.parentPath, entry.name)
      const file = relative(planted, path)
      return readFileSync(path, 'utf8')
        .split('\n')
        .flatMap((line, index) => {
          const rules = /\/\/ (\w+\([\w-]+\)(?: \w+\([\w-]+\))*)$/.exec(line)?.[1]?.split(' ') ?? []
          return rules.map((rule) => `${file}:${index + 1} ${rule}`)
        })
    })
    .sort()
}

test('each planted violation is reported by its rule, and nothing else is', (t) => {
  const folder = plantedWorkspace(t)
  assert.deepEqual(lint(folder), expected())
})

test('a file name in another case, an overlong file and an overlong function are reported', (t) => {
  const folder = plantedWorkspace(t)
  const statements = (count: number) => '  console.log(1)\n'.repeat(count)
  writeFileSync(join(folder, 'cli/src/BadName.ts'), 'export const one = 1\n')
  writeFileSync(join(folder, 'cli/src/long-file.ts'), 'console.log(1)\n'.repeat(401))
  writeFileSync(
    join(folder, 'cli/src/long-function.ts'),
    `export function long() {\n${statements(70)}}\n`,
  )
  const found = lint(folder)
  for (const finding of [
    'cli/src/BadName.ts:1 unicorn(filename-case)',
    'cli/src/long-file.ts:401 eslint(max-lines)',
    'cli/src/long-function.ts:1 eslint(max-lines-per-function)',
  ]) {
    assert.ok(found.includes(finding), `${finding} is not among:\n${found.join('\n')}`)
  }
})
