/**
 * `npm run picture`: runs the main job once and draws what it prints as docs/main-job.svg, so that the picture in the
 * README is what a newcomer sees.
 */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { svgOf } from './picture/svg.ts'

const root = join(import.meta.dirname, '..')
const main = join(root, 'test/main-job/main.ts')

const { status, stdout, stderr } = spawnSync(
  process.execPath,
  ['-C', 'tokenfuse-source', main, '--last'],
  { encoding: 'utf8', env: { ...process.env, FORCE_COLOR: '1', NO_COLOR: undefined } },
)
if (status === 0) {
  writeFileSync(join(root, 'docs/main-job.svg'), svgOf(`$ npm start\n\n${stdout.trimEnd()}`))
} else {
  process.stderr.write(`${stdout}${stderr}\nthe main job failed, and the picture stays as it was\n`)
  process.exitCode = 1
}
