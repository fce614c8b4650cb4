import { createHttpClient } from '../transport/http-client.ts'
import { quietly } from '../transport/quietly.ts'
import { destinationsOf, tracesTarget } from '../transport/target.ts'
import type { Surroundings, Target } from '../transport/target.ts'
import type { CallRecord } from './call-record.ts'
import { createDelivery } from './delivery.ts'
import type { Deliver } from './delivery.ts'
import { encodeGuardEnd, encodeSpan } from './otlp-json.ts'
import type { EncodedSpan } from './otlp-json.ts'
import { Sender } from './sender.ts'
import type { SenderStats } from './sender.ts'
import { sweepSpool } from './spool/send-spool.ts'
import { spoolFolder } from './spool/spool-folder.ts'
import { SpoolJournal } from './spool/spool-journal.ts'

/** Well after the app's own start, so that it does not pay for what others have left. */
const FIRST_SWEEP_MS = 500
/** Siblings that were killed are heard of within this time. */
const SWEEP_INTERVAL_MS = 30_000

/** Environment and working folder as they were when the process began. */
export type TelemetrySettings = Surroundings

export type TelemetryStats = SenderStats & {
  /** Why nothing can be sent, where the environment is at fault. */
  readonly problem: string | null
}

export interface Telemetry {
  /** Random; one a process or worker thread. */
  readonly guardId: string
  /** Takes a call that is over. Never throws, never waits for the network; the disk only for its page cache. */
  record(call: CallRecord): void
  /** Says, after its last call, that this guard ends. Never throws. */
  recordGuardEnd(tenant: string): void
  /** Leaves what is not acknowledged to the spool, synchronously, and stops. Runs by itself on `exit`. */
  flushOnExit(): void
  stats(): TelemetryStats
}

/** Sends what is recorded to where the environment says. Never throws. */
export function createTelemetry(settings: TelemetrySettings): Telemetry {
  const guardId = randomGuardId()
  const findTarget = () => tracesTarget(settings)
  const problem = problemOf(findTarget)
  const folder = spoolFolder(settings.environment)
  const client = createHttpClient()
  const deliver = createDelivery({ client, findTarget, holdsProcess: false })
  const findDestination = () => destinationsOf(findTarget())[0]
  const sender = new Sender({
    guardId,
    deliver,
    // Where nobody is meant, nobody would ever take it from the disk.
    journal: problem === null ? new SpoolJournal({ folder, guardId, findDestination }) : null,
  })
  const stopSweeping =
    problem === null ? sweepNowAndThen(folder.directory, findTarget, deliver) : () => {}

  const flushOnExit = () => {
    process.removeListener('exit', flushOnExit)
    stopSweeping()
    sender.close()
    client.close()
  }
  process.on('exit', flushOnExit)

  const add = (encode: () => EncodedSpan) => {
    try {
      sender.add(encode())
    } catch {
      sender.countDropped()
    }
  }
  return {
    guardId,
    record: (call) => add(() => encodeSpan(call)),
    recordGuardEnd: (tenant) => add(() => encodeGuardEnd(tenant, Date.now())),
    flushOnExit,
    stats: () => ({ ...sender.stats(), problem }),
  }
}

/** 24 hex digits. Loading crypto for it would cost more than all else here: it is no secret, and one of few. */
function randomGuardId(): string {
  const digits = () =>
    Math.floor(Math.random() * 2 ** 48)
      .toString(16)
      .padStart(12, '0')
  return digits() + digits()
}

function problemOf(findTarget: () => Target): string | null {
  try {
    findTarget()
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Sends what others have left. Returns how to stop it. */
function sweepNowAndThen(
  directory: string,
  findTarget: () => Target,
  deliver: Deliver,
): () => void {
  let timer: NodeJS.Timeout
  const schedule = (delayMs: number) => {
    timer = quietly(() => setTimeout(() => void sweep(), delayMs).unref())
  }
  const sweep = async () => {
    try {
      // Named anew each time: the token, by which a processor is known, may be younger than this process.
      await sweepSpool({ directory, destinations: destinationsOf(findTarget()), deliver })
    } catch {
      // Address and token cannot be read now; what is in the spool can wait.
    }
    if (!stopped) schedule(SWEEP_INTERVAL_MS)
  }
  let stopped = false
  schedule(FIRST_SWEEP_MS)
  return () => {
    stopped = true
    clearTimeout(timer)
  }
}
