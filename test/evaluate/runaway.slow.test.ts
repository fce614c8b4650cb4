import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { LEVELS } from '../../processor/src/governor/detect/levels.ts'
import { seededRandom } from '../support/random.ts'
import { sharedPath } from '../support/shared.ts'
import { runawayCommand, type RunawayRow } from './runaway/command.ts'
import { curveAt, scoreOf } from './runaway/score.ts'
import type { Summary } from './runaway/summary.ts'

type Report = { readonly rows: readonly RunawayRow[]; readonly summary: Summary }
type Run = { readonly id: string; readonly exit: string; readonly chars: readonly number[] }

const RUNS = 120
const GROWTH = 2000

/** Runs whose context grows step by step; every fortieth goes on until it is capped. */
function recordedRuns(): Run[] {
  const random = seededRandom(6)
  return Array.from({ length: RUNS }, (_, at) => {
    const isCapped = at % 40 === 39
    const steps = isCapped ? 60 : 5 + Math.floor(random() * 8)
    const growth = GROWTH * (0.8 + random() * 0.4)
    return {
      id: String(at),
      exit: isCapped ? '"submitted (exit_cost)"' : 'submitted',
      chars: Array.from({ length: steps }, (__, step) => Math.round(8000 + step * growth)),
    }
  })
}

/** @returns the options that name the files */
function filesOf(t: TestContext, runs: readonly Run[], capAt = -1): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'evaluate-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const header =
    'run_id,source,model,instance,resolved,exit_status,instance_cost_usd,tokens_sent,' +
    'tokens_received,api_calls,n_steps'
  const lines = runs.map(({ id, exit, chars }, at) => {
    const sent = Math.round(chars.reduce((sum, own) => sum + own, 0) / 3)
    const status = at === capAt ? 'exit_cost' : exit
    return `${id},s,"m, the model",i-${id},${at % 3 === 0 ? 1 : 0},${status},1.5,${sent},9,1,1`
  })
  writeFileSync(join(folder, 'runs.csv'), [header, ...lines, ''].join('\n'))
  const stepHeader =
    'run_id,step,tool,action_hash,obs_hash,response_hash,action_chars,obs_chars,response_chars,' +
    'hist_chars_before,obs_is_error'
  const steps = runs.flatMap(({ id, chars }) =>
    chars.map((own, at) => `${id},${at},t,a${at},o${at},r,1,1,1,${own},0`),
  )
  writeFileSync(join(folder, 'steps.csv.gz'), gzipSync([stepHeader, ...steps, ''].join('\n')))
  return ['--runs', join(folder, 'runs.csv'), '--steps', join(folder, 'steps.csv.gz')]
}

const reportOf = (files: readonly string[], ...more: string[]): Report =>
  JSON.parse(runawayCommand.run([...files, '--json', '--orders', '0', ...more])) as Report

suite('npm run evaluate -- runaway', () => {
  test('a run has a row for each level up to its highest, or one without a level', (t) => {
    const runs = recordedRuns()
    const { rows } = reportOf(filesOf(t, runs))
    for (const { id } of runs) {
      const levels = rows.filter(({ run }) => run === id).map(({ level }) => level)
      if (levels.length === 1 && levels[0] === null) continue
      assert.deepEqual(levels, LEVELS.slice(0, levels.length))
    }
    assert.equal(new Set(rows.map(({ run }) => run)).size, RUNS)
    const sum = (own: readonly number[]) => own.reduce((total, chars) => total + chars, 0)
    for (const { run, step, tokensAtAlarm, tokensFinal } of rows) {
      if (step === null) continue
      const chars = runs[Number(run)]?.chars ?? []
      // The file counts a token for every three characters.
      assert.ok(Math.abs((tokensAtAlarm ?? 0) - sum(chars.slice(0, step)) / 3) <= 1)
      assert.ok(Math.abs(tokensFinal - sum(chars) / 3) <= 1)
    }
  })

  test('capped runs are found at every level, and hardly any other one at all', (t) => {
    const { rows, summary } = reportOf(filesOf(t, recordedRuns()))
    const kills = rows.filter(({ level }) => level === 'kill').map(({ run }) => run)
    assert.deepEqual(kills, ['39', '79', '119'])
    const [notice] = summary.levels
    assert.equal(notice?.capped, 3)
    assert.equal(notice.cappedFound, 3)
    assert.ok(notice.alarmedPercent < 12)
    assert.ok(notice.avoidedPercent > notice.rulesAvoidPercent)
  })

  test('nothing of a run, or of those after it, has a part in what is said of those before it', (t) => {
    const runs = recordedRuns()
    const all = reportOf(filesOf(t, runs)).rows
    const first = reportOf(filesOf(t, runs.slice(0, 80))).rows
    assert.deepEqual(
      first,
      all.filter(({ run }) => Number(run) < 80),
    )
    const cut = 60
    const otherEnd = reportOf(filesOf(t, runs, cut)).rows
    const upTo = (rows: readonly RunawayRow[]) =>
      rows
        .filter(({ run }) => Number(run) <= cut)
        .map(({ run, level, step }) => ({ run, level, step }))
    assert.deepEqual(upTo(otherEnd), upTo(all))
  })

  test('the first runs of a model are its cold start, and the summary says how many', (t) => {
    const { summary } = reportOf(filesOf(t, recordedRuns()))
    assert.deepEqual(summary.coldStart, { finishedRuns: 20, runs: 20 })
    assert.equal(summary.runs, RUNS)
  })

  test('a file that lacks a column, and an option that is missing, are errors', (t) => {
    const [, runs = '', , steps = ''] = filesOf(t, recordedRuns().slice(0, 3))
    assert.throws(() => runawayCommand.run(['--runs', runs]), /--runs and --steps are both needed/)
    assert.throws(
      () => runawayCommand.run(['--runs', steps, '--steps', steps]),
      /has no column source/,
    )
    assert.throws(
      () => runawayCommand.run(['--runs', runs, '--steps', steps, '--tokens', 'words']),
      /--tokens is one of scaled, chars/,
    )
  })

  test('scores count alarms of completed runs and what of the capped runs was still to come', () => {
    const step = { call: 'c', result: 'r', tokens: { scaled: 100, chars: 100 } }
    const run = (capped: boolean, steps: number, resolved = false) => ({
      run: 'x',
      source: 's',
      model: 'm',
      resolved,
      capped,
      tokensFinal: 100 * steps,
      steps: Array.from({ length: steps }, () => step),
    })
    const runs = [run(false, 4, true), run(false, 4), run(true, 10), run(true, 30)]
    const score = scoreOf(runs, [0, 2, 5, 0])
    assert.equal(score.alarmedPercent, 50)
    assert.equal(score.resolvedAlarmed, 0)
    assert.equal(score.cappedFound, 1)
    // 5 of 10 steps of the one, of 40 steps of both
    assert.equal(score.avoidedPercent, 12.5)
  })

  test('a curve is read on straight lines from nothing on', () => {
    const point = (alarmedPercent: number, avoidedPercent: number) => ({
      ...scoreOf([], []),
      alarmedPercent,
      avoidedPercent,
    })
    const curve = [point(10, 30), point(4, 20), point(6, 10)]
    assert.equal(curveAt(curve, 2), 10)
    assert.equal(curveAt(curve, 7), 25)
    assert.equal(curveAt(curve, 50), 30)
  })

  test('the command prints tables, and JSON with --json', async (t) => {
    const files = filesOf(t, recordedRuns().slice(0, 50))
    const run = (...more: string[]) =>
      promisify(execFile)(process.execPath, [
        '-C',
        'tokenfuse-source',
        join(import.meta.dirname, 'main.ts'),
        'runaway',
        ...files,
        ...more,
      ])
    const { stdout } = await run()
    assert.match(stdout, /^50 runs/)
    assert.match(stdout, /union or tokens > q95/)
    assert.ok((JSON.parse((await run('--json')).stdout) as Report).rows.length >= 50)
  })

  test('on recorded runs: above the curve of the rules, with the alarms that are wanted', (t) => {
    const runs = sharedPath(t, 'data/agent_runs_dev.csv')
    const steps = sharedPath(t, 'data/agent_steps_dev.csv.gz')
    if (runs === null || steps === null) return
    const { levels } = reportOf(['--runs', runs, '--steps', steps]).summary
    const [notice, , , kill] = levels
    assert.ok(notice && kill)
    assert.ok(notice.alarmedPercent <= 9 && notice.avoidedPercent >= 32)
    assert.ok(notice.capped - notice.cappedFound <= 1)
    assert.ok(kill.alarmedPercent <= 2)
    for (const level of levels) assert.ok(level.avoidedPercent > level.rulesAvoidPercent)
  })
})
