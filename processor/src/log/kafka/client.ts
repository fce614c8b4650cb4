import kafkajs, { type Kafka, type LogEntry, type SASLOptions } from 'kafkajs'
import { addCodecs } from './codecs.ts'
import { quietRequestQueue } from './request-queue.ts'
import type { KafkaSasl, KafkaSettings, KafkaTls } from './settings.ts'

/** So that a broker that restarts is waited for, and asked again often. */
export const RETRY = { initialRetryTime: 100, maxRetryTime: 1000, retries: 60 }
const CONNECTION_TIMEOUT_MS = 1000
const REQUEST_TIMEOUT_MS = 10_000

/**
 * Each answer that says no is tried again or becomes an error of its own; and that retries end is meant, since what
 * was written twice is recognised.
 */
const IS_NO_NEWS = /^(Response |Limiting retries for the idempotent producer)/

/**
 * A client of kafkajs. Nothing is connected yet.
 * @param say takes what the client warns of
 * @param retries how often what fails is tried again, in the end once a second
 */
export function createKafka(
  settings: KafkaSettings,
  say: (line: string) => void,
  retries = RETRY.retries,
): Kafka {
  quietRequestQueue()
  addCodecs()
  return new kafkajs.Kafka({
    clientId: 'tokenfuse',
    brokers: [...settings.brokers],
    retry: { ...RETRY, retries },
    // Names and handshakes of a broker far away take longer than those of one that is near.
    connectionTimeout: settings.tls ? 5 * CONNECTION_TIMEOUT_MS : CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    logLevel: kafkajs.logLevel.WARN,
    logCreator:
      () =>
      ({ log }: LogEntry) => {
        if (!IS_NO_NEWS.test(log.message)) say(`kafka: ${log.message}${errorOf(log)}`)
      },
    ...(settings.tls && { ssl: sslOf(settings.tls) }),
    ...(settings.sasl && { sasl: saslOf(settings.sasl) }),
  })
}

function errorOf(log: Readonly<Record<string, unknown>>): string {
  const { error } = log
  return typeof error === 'string' ? ` (${error})` : ''
}

function sslOf({ ca, cert, key }: KafkaTls) {
  return {
    ...(ca !== null && { ca }),
    ...(cert !== null && { cert }),
    ...(key !== null && { key }),
  }
}

function saslOf(sasl: KafkaSasl): SASLOptions {
  if (sasl.mechanism !== 'oauthbearer') return sasl
  const { mechanism, token } = sasl
  return { mechanism, oauthBearerProvider: async () => ({ value: token() }) }
}
