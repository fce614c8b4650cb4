import { runBenchApp } from './app.ts'
import { median } from './measure.ts'
import { atMost, type Bench } from './result.ts'
import { setStage } from './stage.ts'

const ROUNDS = 5
const EVENTS = 40_000
const LONG_STREAM_EVENTS = 19_000
const BYTES_AN_EVENT = 16_000
/** More memory than this over bare fetch is no longer flat, for a stream of 300 MB. */
const FLAT_MB = 20

type StreamRun = {
  readonly chunks: number
  readonly cpuMicros: number
  readonly grownBytes: number
}

/** CPU time for each event of a stream, over that of bare fetch. */
export const streamCpu: Bench = {
  names: ['stream.cpu'],
  async run() {
    const stage = await setStage()
    const query = `?events=${EVENTS}`
    const read = async (preload: Readonly<Record<string, string>> | null) =>
      (await runBenchApp('stream.mjs', {
        args: [stage.providerUrl, '0', query],
        preload,
      })) as StreamRun
    const costs: { bare: number; loaded: number }[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const bare = await read(null)
      const loaded = await read(stage.environment)
      costs.push({ bare: bare.cpuMicros / EVENTS, loaded: loaded.cpuMicros / EVENTS })
    }
    await stage.close()
    const value = median(costs.map(({ bare, loaded }) => loaded - bare))
    const baseline = { name: 'bare fetch, us', value: median(costs.map(({ bare }) => bare)) }
    return [
      atMost(3, { name: 'stream.cpu', unit: 'us/event', value, count: ROUNDS * EVENTS, baseline }),
    ]
  },
}

/** How much more memory a slow reader of a long stream needs than with bare fetch. */
export const streamMemory: Bench = {
  names: ['stream.memory'],
  async run() {
    const stage = await setStage()
    const query = `?events=${LONG_STREAM_EVENTS}&bytes=${BYTES_AN_EVENT}`
    const grown = async (preload: Readonly<Record<string, string>> | null) => {
      const args = [stage.providerUrl, '100', query]
      const run = (await runBenchApp('stream.mjs', { args, preload })) as StreamRun
      return run.grownBytes / 1e6
    }
    const runs: { bare: number; loaded: number }[] = []
    for (let round = 0; round < 3; round++) {
      runs.push({ bare: await grown(null), loaded: await grown(stage.environment) })
    }
    await stage.close()
    const value = median(runs.map(({ bare, loaded }) => loaded - bare))
    const baseline = { name: 'bare fetch grows, MB', value: median(runs.map(({ bare }) => bare)) }
    return [
      atMost(FLAT_MB, { name: 'stream.memory', unit: 'MB', value, count: runs.length, baseline }),
    ]
  },
}
