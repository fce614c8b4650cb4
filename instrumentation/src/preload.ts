import { FetchAnchor } from './anchor/fetch-anchor.ts'
import { installFetchAnchor } from './anchor/install-fetch.ts'
import { LiveCalls } from './anchor/live-calls.ts'
import { currentAttribution } from './context/attribution.ts'
import { Conversations } from './context/conversations.ts'
import { createControlClient } from './control/index.ts'
import type { ControlClient } from './control/index.ts'
import { Estimator } from './estimate/estimator.ts'
import { NO_EXTENSION } from './extension.ts'
import type { PreloadExtension } from './extension.ts'
import { CreditGuard } from './guard/credit-guard.ts'
import { PolicyOfBefore } from './guard/policy-of-before.ts'
import { reportFault, warnOnce } from './log.ts'
import { announcePreload, preloadRuntime } from './runtime.ts'
import type { TaskEnd } from './runtime.ts'
import { readSettings } from './settings.ts'
import { createTelemetry } from './telemetry/index.ts'
import type { Attribution, CallRecord } from './telemetry/index.ts'
import { createToolHasher } from './tools/tool-keys.ts'
import { processorTarget } from './transport/target.ts'
import type { Surroundings } from './transport/target.ts'
import { VERSION } from './version.ts'

/** How long a process that has nothing else to do stays alive to say that a task is over. */
const TASK_END_TIMEOUT_MS = 1000

/**
 * Starts metering and guarding in this process or worker thread, once however often it is called. Never throws: where
 * it cannot start, the app runs without it.
 * @param extend sets OpenTelemetry up where that is wanted; called where the preload is not there yet
 */
export function startPreload(extend: () => PreloadExtension = () => NO_EXTENSION): void {
  if (preloadRuntime() !== undefined) return
  try {
    start({ environment: { ...process.env }, workingDirectory: process.cwd() }, extended(extend))
  } catch (error) {
    reportFault('the preload', error)
  }
}

function extended(extend: () => PreloadExtension): PreloadExtension {
  try {
    return extend()
  } catch (error) {
    reportFault('setting OpenTelemetry up', error)
    return NO_EXTENSION
  }
}

function start(surroundings: Surroundings, extension: PreloadExtension): void {
  const { defaults, extraHosts, onStart, problems } = readSettings(surroundings.environment)
  for (const problem of problems) warnOnce(problem, problem)

  const exitListeners = process.listenerCount('exit')
  const liveCalls = new LiveCalls()
  // Before telemetry's own: what is recorded here must still be kept by it.
  process.on('exit', () => {
    liveCalls.finishAll()
    if (guard.hasCredit) telemetry.recordGuardEnd(defaults.tenant)
  })
  const telemetry = createTelemetry(surroundings)
  const { guardId } = telemetry
  const control = createControlClient({
    ...surroundings,
    guardId,
    onUnreachable: () => guard.unreachable(),
  })
  const guard = new CreditGuard({
    guardId,
    tenant: defaults.tenant,
    control,
    onStart,
    policyOfBefore: new PolicyOfBefore(surroundings),
  })
  control.subscribe((message) => guard.receive(message))

  const conversations = new Conversations()
  const anchor = new FetchAnchor({
    conversations,
    extraHosts,
    defaults,
    guard,
    estimator: new Estimator(),
    toolHasher: createToolHasher(() => readToken(surroundings)),
    liveCalls,
    sendWithin: (call, send) => extension.sendWithin(call, send),
    record(call) {
      conversations.answered(call)
      telemetry.record(call)
      tell(extension, call)
    },
  })
  extension.guardStarted(() => {
    const { buffered, dropped } = telemetry.stats()
    const isConnected = control.state().connected
    return { isConnected, waitingSpans: buffered, droppedSpans: dropped }
  })
  installFetchAnchor(anchor)
  makeRoomForListeners(process.listenerCount('exit') - exitListeners)
  announcePreload({ version: VERSION, endTask: (end) => endTask(control, defaults, end) })
}

function tell(extension: PreloadExtension, call: CallRecord): void {
  try {
    extension.recorded(call)
  } catch (error) {
    reportFault('the metrics of calls', error)
  }
}

/** A few listeners more than the app knows of must not make Node warn it of a leak. */
function makeRoomForListeners(count: number): void {
  const max = process.getMaxListeners()
  if (max > 0) process.setMaxListeners(max + count)
}

/** The key to what this tenant's processes share; `null` where none is set. */
function readToken(surroundings: Surroundings): string | null {
  try {
    return processorTarget(surroundings).headers['authorization'] ?? null
  } catch {
    return null // An address that is none; telemetry tells of it.
  }
}

async function endTask(control: ControlClient, defaults: Attribution, end: TaskEnd): Promise<void> {
  try {
    const around = currentAttribution(defaults)
    const { task, outcome, agent = around.agent, taskType = around.taskType ?? undefined } = end
    const path = `/v1/tasks/${encodeURIComponent(String(task))}/end`
    const body = { agent, taskType, outcome }
    await control.post(path, body, { holdsProcess: true, timeoutMs: TASK_END_TIMEOUT_MS })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    warnOnce('task_end', `the end of a task could not be told: ${reason}`)
  }
}
