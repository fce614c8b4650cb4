import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Fault } from './fault.ts'
import type { Outcome } from './ledger.ts'
import type { StreamStep } from './reply.ts'
import type { Wire } from './wire.ts'

/** How an answer is paced and broken. */
export type Delivery = {
  readonly headers: Record<string, string>
  readonly fault: Fault | null
  readonly firstTokenMs: number
  readonly tokensPerSecond: number | null
}

/** What has happened so far; read by the bill at the end and by whoever looks at calls in flight. */
export type Progress = {
  status: number | null
  generatedTokens: number
  usageSent: boolean
}

const FLUSH_CHARS = 8192

/**
 * Sends a stream step by step. What has been generated when the client is found gone, or when a fault strikes, is
 * in `progress`; `onStep` sees each step that was reached.
 */
export async function sendStream(
  wire: Wire,
  steps: Iterable<StreamStep>,
  errorText: string,
  delivery: Delivery,
  progress: Progress,
  onStep: (step: StreamStep) => void,
): Promise<Outcome> {
  const pace = startPace(delivery)
  let fault = delivery.fault
  let pending = ''
  let usagePending = false
  const flush = async (): Promise<void> => {
    const text = pending
    pending = ''
    if (wire.gone) return
    progress.usageSent ||= usagePending
    await wire.write(text)
    // Lets the machine notice that the client has left.
    if (pace === null) await nextTurn()
  }
  await wire.sleep(delivery.firstTokenMs)
  if (wire.gone) return 'aborted'
  progress.status = 200
  wire.begin(200, delivery.headers)
  for (const step of steps) {
    if (fault && strikes(fault, step, progress.generatedTokens)) {
      await flush()
      if (fault.kind !== 'stall') return wire.gone ? 'aborted' : strike(wire, fault, errorText)
      await (fault.forMs === null ? wire.closed : wire.sleep(fault.forMs))
      fault = null
    }
    if (wire.gone) return 'aborted'
    onStep(step)
    progress.generatedTokens += step.generatedTokens
    usagePending ||= step.carriesUsage === true
    pending += step.text
    if (pace && step.generatedTokens > 0) {
      await flush()
      await wire.sleep(pace(progress.generatedTokens))
    } else if (pending.length > FLUSH_CHARS) {
      await flush()
    }
  }
  // Clients leave as soon as they have read the last event: then all of it was sent.
  const isWhole = !wire.gone
  await flush()
  await wire.end()
  return isWhole ? 'completed' : 'aborted'
}

function strikes(fault: Fault, step: StreamStep, generatedTokens: number): boolean {
  if (!('afterTokens' in fault)) return false
  return step.ending === true || generatedTokens + step.generatedTokens > fault.afterTokens
}

async function strike(wire: Wire, fault: Fault, errorText: string): Promise<Outcome> {
  if (fault.kind === 'cut') {
    wire.reset()
    return 'cut'
  }
  if (fault.kind === 'error') await wire.write(errorText)
  await wire.end()
  return fault.kind === 'error' ? 'error' : 'cut'
}

/** Sends a whole body after the time that it takes to generate it. */
export async function sendWhole(
  wire: Wire,
  body: string,
  outputTokens: number,
  delivery: Delivery,
  progress: Progress,
): Promise<Outcome> {
  const { headers, fault, firstTokenMs, tokensPerSecond } = delivery
  const startedMs = performance.now()
  const generationMs = tokensPerSecond === null ? 0 : (outputTokens / tokensPerSecond) * 1000
  await wire.sleep(firstTokenMs + generationMs)
  if (wire.gone) {
    const passedMs = Math.max(0, performance.now() - startedMs - firstTokenMs)
    const generated = Math.floor((passedMs * (tokensPerSecond ?? 0)) / 1000)
    progress.generatedTokens = Math.min(outputTokens, generated)
    return 'aborted'
  }
  progress.status = 200
  progress.generatedTokens = outputTokens
  if (fault && 'afterTokens' in fault) {
    return breakWhole(wire, body, headers, fault, progress)
  }
  const lengthBias = fault?.kind === 'wrong-length' ? fault.byBytes : 0
  await wire.sendWhole(200, headers, body, lengthBias)
  progress.usageSent = !wire.gone
  if (lengthBias !== 0) return 'cut'
  return wire.gone ? 'aborted' : 'completed'
}

/** Half of the body, then what the fault says; after a stall that ends, the other half. */
async function breakWhole(
  wire: Wire,
  body: string,
  headers: Record<string, string>,
  fault: Fault & { afterTokens: number },
  progress: Progress,
): Promise<Outcome> {
  const middle = Math.floor(body.length / 2)
  wire.begin(200, headers)
  await wire.write(body.slice(0, middle))
  if (fault.kind === 'stall' && fault.forMs !== null) {
    await wire.sleep(fault.forMs)
    await wire.write(body.slice(middle))
    await wire.end()
    progress.usageSent = !wire.gone
    return wire.gone ? 'aborted' : 'completed'
  }
  progress.generatedTokens = Math.min(progress.generatedTokens, fault.afterTokens)
  if (fault.kind === 'stall') {
    await wire.closed
    return 'aborted'
  }
  if (fault.kind === 'cut') wire.reset()
  else await wire.end()
  return 'cut'
}

/** Says how long to wait before the next token, given how many are out; null where nothing waits. */
function startPace(delivery: Delivery): ((generatedTokens: number) => number) | null {
  const { tokensPerSecond, firstTokenMs } = delivery
  if (tokensPerSecond === null) return null
  const startedMs = performance.now() + firstTokenMs
  return (generatedTokens) =>
    startedMs + (generatedTokens / tokensPerSecond) * 1000 - performance.now()
}
