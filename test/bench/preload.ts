import { runBenchApp } from './app.ts'
import { median } from './measure.ts'
import { atMost, type Bench } from './result.ts'
import { setStage } from './stage.ts'

const ROUNDS = 5
const CALLS = 1_500
const STARTS = 11

/** A call with the preload beside a call without, in processes that take turns. */
export const preloadOverhead: Bench = {
  names: ['preload.overhead.p50'],
  async run() {
    const stage = await setStage()
    const guarded: number[] = []
    const bare: number[] = []
    const args = [stage.providerUrl, String(CALLS), '300']
    for (let round = 0; round < ROUNDS; round++) {
      bare.push(median((await runBenchApp('calls.mjs', { args, preload: null })) as number[]))
      guarded.push(
        median((await runBenchApp('calls.mjs', { args, preload: stage.environment })) as number[]),
      )
    }
    await stage.close()
    const differences = guarded.map((value, round) => value - (bare[round] ?? Number.NaN))
    const baseline = { name: 'bare fetch, us', value: median(bare) }
    const value = median(differences)
    const count = ROUNDS * CALLS
    return [atMost(100, { name: 'preload.overhead.p50', unit: 'us', value, count, baseline })]
  },
}

type Start = { readonly startMs: number; readonly rssBytes: number }

/** What `register` adds to a process before the app's own code begins. */
export const preloadStart: Bench = {
  names: ['preload.startup', 'preload.rss'],
  async run() {
    const stage = await setStage()
    const starts: { bare: Start; loaded: Start }[] = []
    for (let round = 0; round < STARTS; round++) {
      const bare = (await runBenchApp('start.mjs', { args: [], preload: null })) as Start
      const loaded = (await runBenchApp('start.mjs', {
        args: [],
        preload: stage.environment,
      })) as Start
      if (round > 0) starts.push({ bare, loaded })
    }
    await stage.close()
    const count = starts.length
    const startup = median(starts.map(({ bare, loaded }) => loaded.startMs - bare.startMs))
    const rss = median(starts.map(({ bare, loaded }) => loaded.rssBytes - bare.rssBytes)) / 1e6
    const bareMs = { name: 'bare Node, ms', value: median(starts.map(({ bare }) => bare.startMs)) }
    const bareRss = {
      name: 'bare Node, MB',
      value: median(starts.map(({ bare }) => bare.rssBytes)) / 1e6,
    }
    return [
      atMost(60, { name: 'preload.startup', unit: 'ms', value: startup, count, baseline: bareMs }),
      atMost(20, { name: 'preload.rss', unit: 'MB', value: rss, count, baseline: bareRss }),
    ]
  },
}
