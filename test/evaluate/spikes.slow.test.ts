import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import { seededRandom } from '../support/random.ts'
import { sharedPath } from '../support/shared.ts'
import { spikesCommand } from './spikes/command.ts'
import { episodesAbove, limitFor, SCORERS } from './spikes/page-detectors.ts'
import type { Evaluation } from './spikes/summary.ts'

const DAYS = 9
const PER_DAY = 144

/** One client that is busy all the time and one in half of the hours. */
function filesOf(t: TestContext): string[] {
  const random = seededRandom(8)
  const folder = mkdtempSync(join(tmpdir(), 'evaluate-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const requests: string[] = ['category,model,client,t_s,requests,iat_cv']
  for (let at = 0; at < DAYS * PER_DAY; at++) {
    requests.push(`x,m,all,${at * 600},${50 + Math.floor(random() * 50)},1`)
    if (Math.floor(at / 6) % 2 === 0) {
      requests.push(`x,m,half,${at * 600},${50 + Math.floor(random() * 50)},1`)
    }
  }
  const lengths = ['category,model,client,t_s,mean_input_tokens,mean_output_tokens']
  for (let at = 0; at < DAYS * 4; at++) {
    lengths.push(`x,m,all,${at * 21_600},900,100`, `x,m,half,${at * 21_600},900,100`)
  }
  writeFileSync(join(folder, 'requests.csv.gz'), gzipSync(requests.join('\n')))
  writeFileSync(join(folder, 'lengths.csv'), lengths.join('\n'))
  return ['--requests', join(folder, 'requests.csv.gz'), '--lengths', join(folder, 'lengths.csv')]
}

const reportOf = (files: readonly string[], ...more: string[]): Evaluation =>
  JSON.parse(spikesCommand.run([...files, '--json', ...more])) as Evaluation

suite('npm run evaluate -- spikes', () => {
  test('runaways in steady traffic are all found, and steady traffic alone gives no alarm', (t) => {
    const { rows, summary } = reportOf(filesOf(t), '--runaways', '3')
    assert.equal(rows.length, 2 * 3 * 3)
    assert.ok(rows.every(({ delayMinutes }) => delayMinutes !== null && delayMinutes <= 60))
    assert.deepEqual(
      summary.map(({ kind, clients }) => [kind, clients]),
      [
        ['regular', 1],
        ['semi-active', 1],
        ['sporadic', 0],
      ],
    )
    for (const { detectors } of summary.slice(0, 2)) {
      assert.equal(detectors[0]?.alarmsPerDay, 0)
      assert.equal(detectors.length, 1 + 2 * SCORERS.length)
    }
  })

  test('the same seed gives the same report', (t) => {
    const files = filesOf(t)
    assert.deepEqual(
      reportOf(files, '--runaways', '2', '--seed', '5'),
      reportOf(files, '--runaways', '2', '--seed', '5'),
    )
  })

  test('options that are missing or wrong are errors', (t) => {
    assert.throws(() => spikesCommand.run([]), /--requests and --lengths are both needed/)
    assert.throws(
      () => spikesCommand.run([...filesOf(t), '--runaways', 'some']),
      /--runaways is a whole number/,
    )
  })

  test('alarms more than an hour apart are two, and a limit keeps to its rate', () => {
    const scores = Float64Array.from({ length: PER_DAY }, () => 0)
    for (const at of [10, 16, 24, 100]) scores[at] = at
    assert.equal(episodesAbove(scores, 0), 3)
    assert.equal(limitFor([scores], 1), 24)
  })

  test('on recorded traffic: near the best of the rules at as many alarms, and no later', (t) => {
    const requests = sharedPath(t, 'data/servegen_dev_requests_10min.csv.gz')
    const lengths = sharedPath(t, 'data/servegen_dev_lengths.csv')
    if (requests === null || lengths === null) return
    const files = ['--requests', requests, '--lengths', lengths]
    const [regular, semiActive] = reportOf(files, '--runaways', '8').summary
    assert.ok(regular && semiActive)
    for (const [{ detectors }, places] of [
      [regular, [0, 1, 2]],
      [semiActive, [2]],
    ] as const) {
      const [own, ...rules] = detectors
      assert.ok(own && own.alarmsPerDay <= 0.12)
      for (const place of places) {
        const best = rules
          .filter(({ limit }) => limit === "at the detector's alarm rate")
          .map(({ found }) => found[place])
          .sort((a, b) => (b?.foundPercent ?? 0) - (a?.foundPercent ?? 0))[0]
        const found = own.found[place]
        assert.ok(best && found)
        assert.ok(found.foundPercent >= best.foundPercent - 5)
        assert.ok((found.delayMinutes ?? Infinity) <= (best.delayMinutes ?? 0))
      }
    }
  })
})
