import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readKafkaSettings } from '../../../../processor/src/log/kafka/settings.ts'
import { temporaryFolder } from '../../../support/processor.ts'

const BROKERS = { TOKENFUSE_KAFKA_BROKERS: 'k1:9092, k2:9093' }

test('without a broker there is no Kafka, and an argument comes before the environment', () => {
  assert.equal(readKafkaSettings({}), null)
  assert.deepEqual(readKafkaSettings(BROKERS), {
    brokers: ['k1:9092', 'k2:9093'],
    tls: null,
    sasl: null,
  })
  assert.deepEqual(readKafkaSettings(BROKERS, '127.0.0.1:1')?.brokers, ['127.0.0.1:1'])
})

test('certificates turn TLS on; it can be on without any', (t) => {
  const ca = join(temporaryFolder(t), 'ca.pem')
  writeFileSync(ca, 'PEM')
  const settings = readKafkaSettings({ ...BROKERS, TOKENFUSE_KAFKA_TLS_CA_FILE: ca })
  assert.deepEqual(settings?.tls, { ca: 'PEM', cert: null, key: null })
  const plain = readKafkaSettings({ ...BROKERS, TOKENFUSE_KAFKA_TLS: 'true' })
  assert.deepEqual(plain?.tls, { ca: null, cert: null, key: null })
})

test('a password comes from a file, and a token is read again each time', (t) => {
  const file = join(temporaryFolder(t), 'secret')
  writeFileSync(file, 'one\n')
  const scram = readKafkaSettings({
    ...BROKERS,
    TOKENFUSE_KAFKA_SASL: 'SCRAM-SHA-512',
    TOKENFUSE_KAFKA_USERNAME: 'me',
    TOKENFUSE_KAFKA_PASSWORD_FILE: file,
  })
  assert.deepEqual(scram?.sasl, { mechanism: 'scram-sha-512', username: 'me', password: 'one' })
  const { sasl } =
    readKafkaSettings({
      ...BROKERS,
      TOKENFUSE_KAFKA_SASL: 'oauthbearer',
      TOKENFUSE_KAFKA_TOKEN_FILE: file,
    }) ?? {}
  assert.ok(sasl?.mechanism === 'oauthbearer')
  assert.equal(sasl.token(), 'one')
  writeFileSync(file, 'two\n')
  assert.equal(sasl.token(), 'two')
})

test('settings that do not hold together are refused with what to do', () => {
  const wrong: readonly Readonly<Record<string, string>>[] = [
    { TOKENFUSE_KAFKA_BROKERS: 'k1' },
    { TOKENFUSE_KAFKA_BROKERS: 'http://k1:9092' },
    { ...BROKERS, TOKENFUSE_KAFKA_TLS: 'maybe' },
    { ...BROKERS, TOKENFUSE_KAFKA_SASL: 'kerberos' },
    { ...BROKERS, TOKENFUSE_KAFKA_SASL: 'plain', TOKENFUSE_KAFKA_USERNAME: 'me' },
    { ...BROKERS, TOKENFUSE_KAFKA_SASL: 'oauthbearer' },
    { ...BROKERS, TOKENFUSE_KAFKA_TLS_CERT_FILE: import.meta.filename },
    {
      ...BROKERS,
      TOKENFUSE_KAFKA_TLS: 'false',
      TOKENFUSE_KAFKA_TLS_CA_FILE: import.meta.filename,
    },
  ]
  for (const environment of wrong) {
    assert.throws(() => readKafkaSettings(environment), { code: 'kafka_settings', fix: /\w/ })
  }
})
