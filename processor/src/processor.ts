import { readFileSync } from 'node:fs'
import {
  type Budget,
  type DeadLetter,
  DEFAULT_PORT,
  DEFAULT_TENANT,
  type LogEntry,
  type Policy,
  PriceCatalogue,
} from '@tokenfuse/protocol'
import { createApp } from './api/app.ts'
import type { Prices } from './api/context.ts'
import { listen, type Listening } from './api/server.ts'
import { StreamHub } from './api/stream/hub.ts'
import { messageOf } from './api/stream/messages.ts'
import type { DataDirectory } from './data-directory.ts'
import type { Effect } from './governor/effect.ts'
import type { GovernorLoop } from './governor-loop.ts'
import type { Announcer } from './log/pipeline.ts'
import type { EventLog } from './log/port.ts'
import { countEffects } from './metrics/count-effects.ts'
import type { MetricRegistry } from './metrics/registry.ts'
import type { ProcessorOptions, RunningProcessor } from './options.ts'
import type { PolicyFiles, PolicyPaths } from './policy/policy-files.ts'
import { PolicyKeeper } from './policy/policy-keeper.ts'
import { notificationOf } from './notify/notification-of.ts'
import { Notifier } from './notify/notifier.ts'
import { limitRepeats } from './repeated-lines.ts'
import { Snapshots } from './snapshots.ts'
import { Ticker } from './ticker.ts'

const SNAPSHOT_INTERVAL_MS = 5000
const RETENTION_INTERVAL_MS = 3_600_000
const NEWS_FOR_MS = 86_400_000

const VERSION = String(
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version,
)

export type ProcessorParts = {
  readonly options: ProcessorOptions
  readonly paths: PolicyPaths
  readonly directory: DataDirectory
  readonly log: EventLog
  readonly loop: GovernorLoop
  readonly metrics: MetricRegistry
  /** `null` where nobody else is to hear what the governor says. */
  readonly announcer: Announcer | null
}

/** The parts of one processor, wired: what the governor says goes to streams, metrics and snapshots. */
export class Processor implements RunningProcessor {
  readonly token: string
  readonly #parts: ProcessorParts
  readonly #say: (line: string) => void
  readonly #hub = new StreamHub()
  readonly #snapshots: Snapshots
  readonly #ticker: Ticker
  readonly #policy: PolicyKeeper
  readonly #notifier: Notifier
  #prices: Prices
  #listening: Listening | null = null
  #running: Promise<void> = Promise.resolve()
  #isReady = false
  #closing: Promise<void> | null = null
  #retention: NodeJS.Timeout | null = null

  constructor(parts: ProcessorParts) {
    const { options, paths, directory, log, loop, announcer } = parts
    const { governor } = loop
    this.#parts = parts
    this.token = directory.token()
    this.#say = limitRepeats(options.log ?? (() => {}))
    this.#prices = pricesOf(governor.policy())
    const intervalMs = options.snapshotIntervalMs ?? SNAPSHOT_INTERVAL_MS
    const onError = (error: unknown) => this.#say(textOf(error))
    const told = announcer ? { told: () => announcer.written() } : {}
    this.#snapshots = new Snapshots({ log, governor, intervalMs, onError, ...told })
    this.#ticker = new Ticker({ governor, submit: (events) => loop.submit(events), onError })
    const { metrics } = parts
    this.#notifier = new Notifier({ path: directory.outboxPath, metrics, log: this.#say })
    this.#policy = new PolicyKeeper({
      paths,
      loop,
      log: this.#say,
      onWebhook: (url) => this.#notifier.setTarget(options.webhookUrl ?? url),
    })
  }

  get url(): string {
    return this.#listening?.url ?? ''
  }

  get openStreams(): number {
    return this.#hub.size
  }

  get ended(): Promise<void> {
    return this.#running
  }

  /** Listens, reads the log to its end, and brings the policy into force. */
  async start(files: PolicyFiles): Promise<void> {
    const { options, directory, loop } = this.#parts
    const { port = DEFAULT_PORT, host = '127.0.0.1', allowRemote = false } = options
    this.#notifier.setTarget(options.webhookUrl ?? files.policy?.notify?.webhook ?? null)
    this.#listening = await listen(this.#createApp(), { port, host, allowRemote })
    directory.writeEndpoint({ url: this.url, pid: process.pid })
    this.#running = loop.run({
      applied: (entry, effects, isNew) => this.#perform(entry, effects, isNew),
      batchApplied: (entries) => {
        this.#ticker.stateChanged()
        this.#snapshots.stateChanged(entries)
      },
    })
    this.#running.catch((error: unknown) => {
      this.#isReady = false
      this.#say(`the processor cannot go on: ${textOf(error)}`)
    })
    await loop.caughtUp()
    await this.#policy.apply(files)
    // Also where nothing has changed: a meter that starts waits for them.
    this.#announcePrices()
    this.#policy.watch()
    this.#ticker.stateChanged()
    // Entries grow old also while none come.
    this.#retention = setInterval(() => this.#snapshots.stateChanged(0), RETENTION_INTERVAL_MS)
    this.#retention.unref()
    this.#isReady = true
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Lets go of everything without storing anything more. */
  async abandon(): Promise<void> {
    this.#stopTimers()
    this.#hub.close()
    await this.#listening?.close()
    await this.#notifier.close()
    await this.#parts.announcer?.close()
    await this.#parts.log.close()
    await this.#running.catch(() => {})
  }

  async #close(): Promise<void> {
    const { log, loop, directory, announcer } = this.#parts
    this.#stopTimers()
    this.#hub.close()
    await this.#listening?.close()
    await this.#notifier.close()
    try {
      // Nothing is stored past an entry that could not be applied.
      await loop.applied(log.stats().headOffset)
      await this.#snapshots.save()
    } catch (error) {
      this.#say(`the state was not stored and will be read from the log: ${textOf(error)}`)
    }
    await announcer?.close()
    await log.close()
    await this.#running.catch(() => {})
    directory.close()
  }

  #stopTimers(): void {
    this.#policy.close()
    this.#ticker.stop()
    this.#snapshots.stop()
    if (this.#retention) clearInterval(this.#retention)
  }

  #createApp() {
    const { log, loop } = this.#parts
    const context = {
      version: VERSION,
      token: this.token,
      log,
      loop,
      metrics: this.#parts.metrics,
      hub: this.#hub,
      prices: () => this.#prices,
      policyProblem: () => this.#policy.problem,
      notifyStatus: () => this.#notifier.status(),
      editPolicy: (change: (text: string) => string, basedOn: number | null) =>
        this.#policy.edit(change, basedOn),
      setRunBudget: (id: string, budget: Budget | null) => this.#policy.setRunBudget(id, budget),
      isReady: () => this.#isReady && this.#closing === null,
      now: Date.now,
    }
    return createApp(context, (error) => this.#say(`a request failed: ${textOf(error)}`))
  }

  /** Also after a crash, when it is applied again; of what is old, people were told long ago. */
  #notify({ logTimeMs }: LogEntry, effect: Effect): void {
    if (Date.now() - logTimeMs > NEWS_FOR_MS) return
    const notification = notificationOf(effect)
    if (notification) this.#notifier.offer(notification)
  }

  #announcePrices(): void {
    const prices = this.#parts.loop.governor.policy()?.policy.prices ?? []
    const version = this.#prices.overridesVersion
    this.#parts.announcer?.prices(DEFAULT_TENANT, { version, prices })
  }

  #perform(entry: LogEntry, effects: readonly Effect[], isNew: boolean): void {
    const { governor } = this.#parts.loop
    if (isNew) countEffects(this.#parts.metrics, entry, effects)
    for (const effect of effects) {
      if (effect.type === 'policy') {
        this.#prices = pricesOf(governor.policy())
        this.#announcePrices()
      }
      // Also after a crash, when it is applied again: it may not have been told before.
      if (effect.type === 'decision') this.#parts.announcer?.decision(effect.decision)
      this.#notify(entry, effect)
      const letter = letterOf(entry, effect)
      if (letter) this.#snapshots.keepLetter(letter)
      const told = messageOf(effect, governor)
      if (told) this.#hub.send(entry.offset, told.message, told.guard)
      if (effect.type === 'diverged') {
        const { offset, expected, found } = effect
        this.#say(
          `the state after entry ${offset} is ${found}, but another processor has ${expected}`,
        )
      }
    }
  }
}

function pricesOf(inForce: { version: number; policy: Policy } | null): Prices {
  const overrides = inForce?.policy.prices ?? []
  const overridesVersion = overrides.length > 0 ? `policy.${inForce?.version}` : null
  return { catalogue: new PriceCatalogue(overrides), overridesVersion }
}

/** A usage event that was in the log but could not be counted. */
function letterOf(entry: LogEntry, effect: Effect): DeadLetter | null {
  const isUsage = effect.type === 'late' || effect.type === 'rejected'
  if (!isUsage || effect.event.type !== 'usage') return null
  return {
    tenant: effect.event.tenant,
    source: `log@${entry.offset}`,
    code: effect.type === 'late' ? 'span_too_late' : effect.code,
    message: effect.type === 'late' ? 'the call ended too long ago' : effect.message,
    payload: Buffer.from(JSON.stringify(effect.event)),
    contentType: 'application/json',
  }
}

const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
