import { readFileSync } from 'node:fs'
import {
  ENV_KAFKA_BROKERS,
  ENV_KAFKA_PASSWORD,
  ENV_KAFKA_PASSWORD_FILE,
  ENV_KAFKA_SASL,
  ENV_KAFKA_TLS,
  ENV_KAFKA_TLS_CA_FILE,
  ENV_KAFKA_TLS_CERT_FILE,
  ENV_KAFKA_TLS_KEY_FILE,
  ENV_KAFKA_TOKEN_FILE,
  ENV_KAFKA_USERNAME,
  TokenfuseError,
} from '@tokenfuse/protocol'

export type KafkaSettings = {
  /** `host:port` of one broker or more; the others are learned from it. */
  readonly brokers: readonly string[]
  /** `null` speaks in the clear. */
  readonly tls: KafkaTls | null
  readonly sasl: KafkaSasl | null
}

/** PEM texts; `null` takes the system's authorities, or shows no certificate. */
export type KafkaTls = {
  readonly ca: string | null
  readonly cert: string | null
  readonly key: string | null
}

export type KafkaSasl =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
      readonly username: string
      readonly password: string
    }
  | {
      readonly mechanism: 'oauthbearer'
      /** Asked at each new connection, so that a token may change. */
      readonly token: () => string
    }

const PASSWORD_MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The settings of `TOKENFUSE_KAFKA_*`.
 * @param brokers comes before the variable of the brokers, where it is not `null`
 * @returns `null` where no broker is named
 * @throws TokenfuseError `kafka_settings` where they do not hold together, `file_unreadable`
 */
export function readKafkaSettings(
  environment: Environment,
  brokers: string | null = null,
): KafkaSettings | null {
  const list = (brokers ?? environment[ENV_KAFKA_BROKERS] ?? '')
    .split(',')
    .map((broker) => broker.trim())
    .filter((broker) => broker !== '')
  if (list.length === 0) return null
  for (const broker of list) {
    if (!/^[^\s/]+:\d{1,5}$/.test(broker)) {
      throw invalid(`"${broker}" is no broker`, 'Write host:port, several separated by commas.')
    }
  }
  return { brokers: list, tls: readTls(environment), sasl: readSasl(environment) }
}

function readTls(environment: Environment): KafkaTls | null {
  const files = [ENV_KAFKA_TLS_CA_FILE, ENV_KAFKA_TLS_CERT_FILE, ENV_KAFKA_TLS_KEY_FILE]
  const [ca = null, cert = null, key = null] = files.map((name) => fileText(environment[name]))
  const isWanted = environment[ENV_KAFKA_TLS] ?? ''
  if (!['', '0', '1', 'false', 'true'].includes(isWanted)) {
    throw invalid(`${ENV_KAFKA_TLS} is "${isWanted}"`, 'Write true or false.')
  }
  if ((cert === null) !== (key === null)) {
    throw invalid(
      'a certificate for Kafka needs its key, and a key its certificate',
      `Set both ${ENV_KAFKA_TLS_CERT_FILE} and ${ENV_KAFKA_TLS_KEY_FILE}, or neither.`,
    )
  }
  const hasFiles = ca !== null || cert !== null
  if (isWanted === '0' || isWanted === 'false') {
    if (!hasFiles) return null
    throw invalid(`${ENV_KAFKA_TLS} is off, but certificates are named`, 'Take one of them away.')
  }
  return isWanted === '' && !hasFiles ? null : { ca, cert, key }
}

function readSasl(environment: Environment): KafkaSasl | null {
  const mechanism = environment[ENV_KAFKA_SASL]?.toLowerCase() ?? ''
  if (mechanism === '') return null
  if (mechanism === 'oauthbearer') {
    const file = environment[ENV_KAFKA_TOKEN_FILE] ?? ''
    if (file === '') throw invalid('oauthbearer needs a token', `Set ${ENV_KAFKA_TOKEN_FILE}.`)
    return { mechanism, token: () => fileText(file)?.trim() ?? '' }
  }
  const known = PASSWORD_MECHANISMS.find((name) => name === mechanism)
  if (known === undefined) {
    const names = [...PASSWORD_MECHANISMS, 'oauthbearer'].join(', ')
    throw invalid(`${ENV_KAFKA_SASL} is "${mechanism}"`, `Use one of ${names}.`)
  }
  const username = environment[ENV_KAFKA_USERNAME] ?? ''
  const password =
    environment[ENV_KAFKA_PASSWORD] ?? fileText(environment[ENV_KAFKA_PASSWORD_FILE])?.trimEnd()
  if (username === '' || password === undefined) {
    throw invalid(
      `${known} needs a name and a password`,
      `Set ${ENV_KAFKA_USERNAME} and ${ENV_KAFKA_PASSWORD_FILE}.`,
    )
  }
  return { mechanism: known, username, password }
}

function fileText(path: string | undefined): string | null {
  if (path === undefined || path === '') return null
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new TokenfuseError('file_unreadable', `${path} cannot be read`, {
      fix: 'Name a file that is there and readable.',
      cause,
    })
  }
}

function invalid(message: string, fix: string): TokenfuseError {
  return new TokenfuseError('kafka_settings', message, { fix })
}
