import type { KafkaSettings } from './log/kafka/settings.ts'
import type { SqliteLogOptions } from './log/sqlite/event-log.ts'

export type ProcessorOptions = {
  /** Holds token, endpoint and event log; made where it is missing. */
  readonly dataDirectory: string
  /** 0 takes a free one. Default: 4319. */
  readonly port?: number
  /** Default: 127.0.0.1. */
  readonly host?: string
  /** Listens where other machines can reach it, without encryption. Default: no. */
  readonly allowRemote?: boolean
  /** Must exist where it is named. Default: `tokenfuse.yaml` beside the data folder, if there is one. */
  readonly policyFile?: string
  /** Must exist where it is named. Default: `budget-alerts.yaml` beside the policy file, or else the rules shipped. */
  readonly rulesFile?: string
  /** Where people are told, before what the policy file says. */
  readonly webhookUrl?: string
  /** Takes one message for people at a time. Default: nowhere. */
  readonly log?: (line: string) => void
  /** Where the event log is in Kafka. Default: in the data folder. */
  readonly kafka?: KafkaSettings
  /** Whether this process also meters the spans that are in Kafka. Default: yes. */
  readonly meters?: boolean
  /** How much an event log in the data folder keeps. */
  readonly retention?: Pick<SqliteLogOptions, 'retentionMs' | 'retentionBytes' | 'maxBytes'>
  /** Between two snapshots while the state changes. Default: 5 s. */
  readonly snapshotIntervalMs?: number
}

export type RunningProcessor = {
  readonly url: string
  readonly token: string
  /** Guards and others that listen now. */
  readonly openStreams: number
  /** Resolves when it was closed; rejects when it cannot go on, and then the process is best ended. */
  readonly ended: Promise<void>
  /** Takes no more requests, stores its state and lets go of the data folder. */
  close(): Promise<void>
}

export type MeterProcessOptions = {
  readonly kafka: KafkaSettings
  /** Of its probes and metrics; 0 takes a free one. Default: 4319. */
  readonly port?: number
  /** Default: 127.0.0.1. */
  readonly host?: string
  /** Takes one message for people at a time. Default: nowhere. */
  readonly log?: (line: string) => void
}

export type RunningMeter = Pick<RunningProcessor, 'url' | 'ended' | 'close'>
