import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { seededRandom } from '../support/random.ts'
import { sharedPath } from '../support/shared.ts'
import { forecastCommand } from './forecast/command.ts'
import type { Row } from './forecast/replay.ts'
import type { Summary } from './forecast/summary.ts'

type Report = { readonly rows: readonly Row[]; readonly summary: Summary }
type Window = { readonly client: string; readonly at: number; readonly requests: number }

const DAYS = 10
const PER_DAY = 144

/** Two clients of one model: one with traffic all day, one in the afternoon. */
function traffic(): Window[] {
  const random = seededRandom(4)
  const windows: Window[] = []
  for (let at = 0; at < DAYS * PER_DAY; at++) {
    const hour = (at % PER_DAY) / 6
    windows.push({ client: 'a', at, requests: 20 + Math.floor(random() * 10 + hour) })
    if (hour >= 13 && hour < 16) {
      windows.push({ client: 'b', at, requests: Math.floor(random() * 40) + 1 })
    }
  }
  return windows
}

/** Writes the two files and gives their paths; client c has traffic, and no lengths. */
function filesOf(t: TestContext, windows: readonly Window[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'evaluate-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const requests = join(folder, 'requests.csv.gz')
  const lengths = join(folder, 'lengths.csv')
  const rows = windows.map(({ client, at, requests: n }) => `x,m,${client},${at * 600},${n},1.5`)
  const header = 'category,model,client,t_s,requests,iat_cv'
  writeFileSync(requests, gzipSync([header, ...rows, 'x,m,c,600,5,1', ''].join('\n')))
  const columns = 'category,model,client,t_s,mean_input_tokens,mean_output_tokens'
  const means = Array.from({ length: DAYS * 4 }, (_, quarter) => [
    `x,m,a,${quarter * 21_600},80.5,19.5`,
    `x,m,b,${quarter * 21_600},${lengthOfB(quarter)}`,
  ]).flat()
  const known = means.filter((line) => !line.endsWith(',missing'))
  writeFileSync(lengths, [columns, ...known, ''].join('\n'))
  return ['--requests', requests, '--lengths', lengths]
}

/** Of b's afternoons, that of day 2 has no line and that of day 3 no number; the morning of day 2 has 80 tokens. */
function lengthOfB(quarter: number): string {
  if (quarter === 5) return '60.5,19.5'
  if (quarter === 6) return 'missing'
  return quarter === 10 ? ',19.5' : '80.5,19.5'
}

const reportOf = (args: string[]) => JSON.parse(forecastCommand.run([...args, '--json'])) as Report

suite('npm run evaluate -- forecast', () => {
  test('asks for each client and for the fleet, on each day, at three parts of it', (t) => {
    const { rows, summary } = reportOf(filesOf(t, traffic()))
    assert.equal(rows.length, 3 * DAYS * 3)
    const asked = new Set(rows.map(({ client, day, fraction }) => `${client} ${day} ${fraction}`))
    assert.equal(asked.size, rows.length)
    assert.deepEqual([...new Set(rows.map(({ client }) => client))].sort(), ['*', 'a', 'b'])
    assert.equal(summary.counts.clientsWithoutLengths, 1)
    assert.equal(summary.counts.windowsWithFilledLengths, 2 * 18)
  })

  test('counts tokens as requests x the mean lengths of the six hours, or else of those before', (t) => {
    const windows = traffic()
    const { rows } = reportOf(filesOf(t, windows))
    const requests = (client: string, day: number) =>
      windows
        .filter((one) => one.client === client && Math.floor(one.at / PER_DAY) === day - 1)
        .reduce((total, one) => total + one.requests, 0)
    for (const { client, day, actual } of rows) {
      const a = 100 * requests('a', day)
      const b = (day === 2 ? 80 : 100) * requests('b', day)
      assert.equal(actual, client === '*' ? a + b : client === 'a' ? a : b)
    }
  })

  test('says nothing on three days, then a point in its interval with a probability', (t) => {
    const { rows } = reportOf(filesOf(t, traffic()))
    for (const row of rows) {
      const { client, day, point, lower, upper, breach, regular } = row
      assert.equal(regular, client === '*' ? null : client === 'a')
      if (day <= 3) {
        assert.deepEqual([point, lower, upper, breach], [null, null, null, null])
        continue
      }
      assert.ok(point !== null && lower !== null && upper !== null && breach !== null)
      assert.ok(lower <= point && point <= upper && breach >= 0 && breach <= 1)
    }
  })

  test('knows nothing of what comes after a question', (t) => {
    const windows = traffic()
    const changedAt = 6 * PER_DAY + 72
    const changed = windows.map((window) =>
      window.at >= changedAt ? { ...window, requests: window.requests * 7 + 1 } : window,
    )
    const before = ({ day, fraction }: Row) => day - 1 + fraction <= changedAt / PER_DAY
    const answers = (rows: readonly Row[]) =>
      rows.filter(before).map((row) => ({ ...row, actual: null }))
    const [one, two] = [windows, changed].map((given) => reportOf(filesOf(t, given)).rows)
    assert.ok(one && two)
    assert.deepEqual(answers(two), answers(one))
    assert.notDeepEqual(two, one)
  })

  test('finds files relative to where npm was called, and fits a page', async (t) => {
    const [, requests = '', , lengths = ''] = filesOf(t, traffic())
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [
        ...['-C', 'tokenfuse-source', join(import.meta.dirname, 'main.ts'), 'forecast'],
        ...['--requests', 'requests.csv.gz', '--lengths', 'lengths.csv'],
      ],
      { env: { ...process.env, INIT_CWD: join(requests, '..') } },
    )
    assert.ok(lengths.startsWith(join(requests, '..')))
    const lines = stdout.split('\n')
    assert.ok(lines.length > 40)
    for (const line of lines) assert.ok(line.length <= 100, line)
  })

  test('says what is wrong with a file or an option, and where', (t) => {
    const args = filesOf(t, traffic())
    assert.throws(() => forecastCommand.run(args.slice(0, 2)), /--lengths/)
    assert.throws(() => forecastCommand.run([...args, '--day', '3']), /--day/)
    const [, requests = ''] = args
    writeFileSync(requests, 'category,model,client,t_s,requests\nx,m,a,0,5\nx,m,a,ten,5\n')
    assert.throws(() => forecastCommand.run(args), /requests\.csv\.gz, line 3 .*ten/)
    writeFileSync(requests, 'model,t_s,requests\nm,0,5\n')
    assert.throws(() => forecastCommand.run(args), /no column "client"/)
  })
})

test('on recorded traffic the forecast is as good as promised', (t) => {
  const requests = sharedPath(t, 'data/servegen_dev_requests_10min.csv.gz')
  const lengths = sharedPath(t, 'data/servegen_dev_lengths.csv')
  if (requests === null || lengths === null) return
  const { summary } = reportOf(['--requests', requests, '--lengths', lengths])
  const { cells, intervals, breaches, points } = summary
  assert.deepEqual([points.fleets.n[0], points.regular.n[0], points.sporadic.n[0]], [22, 91, 150])
  for (const [baseline, ratio] of Object.entries(cells.meanRatioTo)) {
    assert.ok(ratio <= 0.93, `${ratio} of ${baseline}`)
  }
  assert.ok(cells.worstToBestBaseline <= 1.25)
  for (const [at, bound] of [0.7, 0.75, 0.95].entries()) {
    assert.ok((cells.fleetsToLinear[at] ?? Infinity) <= bound)
  }
  for (const group of Object.values(intervals.forecast)) {
    assert.deepEqual(group.isWithinTwo, [true, true, true])
  }
  const pageWidths = [0.82, 0.7, 0.36]
  for (const [at, width] of intervals.forecast.regular.width.entries()) {
    assert.ok(width < (pageWidths[at] ?? 0))
    assert.ok(width < (intervals.adaptiveMedian.regular.width[at] ?? 0))
  }
  for (const group of [breaches.regular, breaches.clients]) {
    const { forecast, forecastEven, ...baselines } = group.methods
    const best = Math.max(...Object.values(baselines).map(({ pooled }) => pooled.f1))
    assert.ok(forecast && forecastEven)
    assert.ok(forecast.pooled.f1 > best && forecastEven.pooled.f1 > best)
  }
})
