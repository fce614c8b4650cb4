import { scopeKeyOf, type LogEntry, type UsageEvent } from '@tokenfuse/protocol'
import { Governor } from '../../../processor/src/governor/governor.ts'
import { decodeEvent, encodeEvent } from '../../../processor/src/log/codec.ts'
import { CompactCodec } from '../../../processor/src/log/compact/codec.ts'
import { type Measured, threadSeconds } from './measured.ts'
import { Workload } from './workload.ts'

// `measure-events.ts SCOPES decoded|sqlite|kafka`: prints `Measured` of calls in so many scopes with six budgets each,
// as they are or from the form in which that log holds them.

const ROUNDS = 9
const BATCH = 20_000
/** Events are decoded just before they are applied, as a processor reads its log. */
const DECODED_AT_ONCE = 1000

const [scopesText = '', from = ''] = process.argv.slice(2)
const scopes = Number(scopesText)
const workload = new Workload(scopes, 1)
const governor = new Governor()
workload.prepare(governor, { withCredit: true })
// Each task has called before: what is measured is no first call.
for (let task = 0; task < workload.tasks; task++) {
  // As a processor does every few seconds.
  if (task % BATCH === 0) governor.changes()
  governor.apply(workload.entry(workload.call(task)))
}
governor.changes()

const rates: { governor: number; baseline: number }[] = []
const sums = new Map<string, number>()
const codec = from === 'sqlite' ? new CompactCodec() : { encode: encodeEvent, decode: decodeEvent }
for (let round = 0; round < ROUNDS; round++) {
  rates.push(from === 'decoded' ? roundOfEvents() : roundFromLog())
  governor.changes()
}
const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]
const measured: Measured = {
  governor: median(rates.map((rate) => rate.governor)) ?? 0,
  baseline: median(rates.map((rate) => rate.baseline)) ?? 0,
  events: ROUNDS * BATCH,
}
process.stdout.write(JSON.stringify(measured))

function roundOfEvents() {
  let seconds = 0
  let plain = 0
  for (let done = 0; done < BATCH; done += DECODED_AT_ONCE) {
    const entries = Array.from({ length: DECODED_AT_ONCE }, () => {
      const { event, ...place } = workload.entry(workload.call())
      return { ...place, event: decodeEvent(encodeEvent(event), place.offset) }
    })
    seconds += threadSeconds(() => {
      for (const entry of entries) governor.apply(entry)
    })
    plain += threadSeconds(() => {
      for (const { event } of entries) addPlainly(event as UsageEvent)
    })
  }
  return { governor: BATCH / seconds, baseline: BATCH / plain }
}

function roundFromLog() {
  const texts = Array.from({ length: BATCH }, () => {
    const { event, ...place } = workload.entry(workload.call())
    return { text: readFrom(codec.encode(event)), json: readFrom(encodeEvent(event)), ...place }
  })
  const seconds = threadSeconds(() => {
    for (const { text, offset, logTimeMs } of texts) {
      const entry: LogEntry = { offset, logTimeMs, event: codec.decode(text, offset) }
      governor.apply(entry)
    }
  })
  let parsed = 0
  const plain = threadSeconds(() => {
    for (const { json } of texts) if (JSON.parse(json) !== null) parsed++
  })
  return { governor: BATCH / seconds, baseline: parsed / plain }
}

/** As a store gives it: in one piece, and not as it was put together. */
function readFrom(text: string): string {
  return Buffer.from(text).toString()
}

/** The comparison: a map of sums by the names of the six scopes, which knows no window, credit, limit or repeat. */
function addPlainly(event: UsageEvent): void {
  const { agent, user, session, task, stepName, tokens, costPicoUsd } = event
  const used = (tokens.input ?? 0) + (tokens.output ?? 0)
  add('everything', '*', Number(costPicoUsd))
  add('agent', scopeKeyOf([['agent', agent]]), used)
  add('user', scopeKeyOf([['user', user]]), Number(costPicoUsd))
  add('session', scopeKeyOf([['session', session]]), used)
  add(
    'task',
    scopeKeyOf([
      ['agent', agent],
      ['task', task],
    ]),
    used,
  )
  add(
    'step',
    scopeKeyOf([
      ['agent', agent],
      ['step', stepName ?? ''],
    ]),
    tokens.output ?? 0,
  )
}

function add(budget: string, scope: string, amount: number): void {
  const key = `${budget}|${scope}`
  sums.set(key, (sums.get(key) ?? 0) + amount)
}
