/**
 * `npm start`: four agents with real SDKs against a stand-in provider, one of them in a loop that its budget stops.
 * At the end everything that was counted is held against the provider's own bill; the exit code is 1 where they
 * differ. With `--kafka` the spans go through a real Collector and a real Kafka.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { exitCodeOf, onEndingSignal } from '../../cli/src/ending-signals.ts'
import { styleFor } from '../../cli/src/output/style.ts'
import { LOOP } from './agents.ts'
import { compareBills } from './bill.ts'
import { billLines, refusalLines, savingLines } from './ending.ts'
import type { Job } from './job.ts'
import { createView } from './view/view.ts'
import { BEFORE_START, lookAt, type Moment } from './watch.ts'

const POLL_MS = 200

const { values } = parseArgs({
  options: {
    last: { type: 'boolean', default: false },
    kafka: { type: 'boolean', default: false },
  },
})
const style = styleFor(process.stdout)
const view = createView(process.stdout, { onlyLast: values.last })
view.show(BEFORE_START)

// Loaded after the first picture, which so comes at once.
const { JobStart } = await import('./job.ts')
const start = new JobStart()
let ending: Promise<never> | null = null
onEndingSignal((signal) => void end(exitCodeOf(signal)))
// Whoever reads this may leave before the end, as in `npm start | head`.
process.stdout.on('error', () => void end(1))
try {
  await end((await runJob()) ? 0 : 1)
} catch (error) {
  // What breaks because everything is being ended is no news.
  if (ending === null) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  }
  await end(1)
}

/** The first reason to end is the one that counts. */
function end(code: number): Promise<never> {
  ending ??= start.cleanUp().then(() => {
    view.close()
    process.exit(code)
  })
  return ending
}

/** @returns whether all went as it should */
async function runJob(): Promise<boolean> {
  const job = await start.run({ kafka: values.kafka })
  const moment = await watch(job)
  const bills = compareBills(moment.agents, await job.provider.ledger())
  const loop = moment.agents.find(({ name }) => name === LOOP.agent)
  const refusedCalls = loop?.usage?.refusedCalls ?? 0
  const lines: string[] = []
  if (refusedCalls > 0) {
    const turn = (loop?.usage?.calls ?? 0) + refusedCalls
    const said = job.agents.find(({ name }) => name === LOOP.agent)?.stdout ?? ''
    lines.push(...refusalLines(said, turn, style))
  }
  const loopBill = bills.find(({ agent }) => agent === LOOP.agent)
  lines.push(...billLines(bills, style), ...(loopBill ? savingLines(loopBill.billed, style) : []))
  process.stdout.write(`${lines.join('\n')}\n`)
  const failed = moment.agents.filter(({ state }) => state === 'failed')
  for (const { name } of failed) {
    const stderr = job.agents.find((agent) => agent.name === name)?.stderr
    process.stderr.write(`${name} failed:\n${stderr}\n`)
  }
  return refusedCalls > 0 && failed.length === 0 && bills.every(({ isEqual }) => isEqual)
}

/** Shows what happens until every agent has ended. */
async function watch(job: Job): Promise<Moment> {
  const ended = Promise.all(job.agents.map((agent) => agent.ended)).then(() => true)
  for (;;) {
    const isOver = await Promise.race([ended, wait(POLL_MS, false)])
    if (isOver) await job.settled()
    const moment = await lookAt(job)
    if (ending !== null) await ending
    if (isOver) {
      view.finish(moment)
      return moment
    }
    view.show(moment)
  }
}
