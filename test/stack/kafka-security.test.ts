import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { realpathSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { initKafka } from '../../processor/src/log/kafka/init-topics.ts'
import { readKafkaSettings } from '../../processor/src/log/kafka/settings.ts'
import { type Kafka, startKafka } from '../../scripts/stack/kafka.ts'
import { freePorts } from '../../scripts/stack/ports.ts'
import { requireTool } from '../../scripts/stack/tools.ts'
import { makeTemporaryFolder } from '../support/processes.ts'
import { requireTools } from '../support/stack.ts'

requireTools(['java', 'mvn'])
const folder = makeTemporaryFolder()
const caFile = join(folder.path, 'cert.pem')
const passwordFile = join(folder.path, 'password')
const tokenFile = join(folder.path, 'token')
let kafka: Kafka
let saslPort = 0
let tlsPort = 0

before(async () => {
  const [broker = 0, controller = 0, sasl = 0, tls = 0] = await freePorts(4)
  saslPort = sasl
  tlsPort = tls
  writeFileSync(passwordFile, 'secret\n')
  const settings = [...listenerSettings(broker, controller), ...saslSettings(), ...tlsSettings()]
  const formatArgs = ['--add-scram', 'SCRAM-SHA-256=[name=me,password=secret]']
  formatArgs.push('--add-scram', 'SCRAM-SHA-512=[name=me,password=secret]')
  const ports = { broker, controller }
  kafka = await startKafka({ folder: join(folder.path, 'kafka'), ports, settings, formatArgs })
})
after(async () => {
  await kafka?.stop()
  folder.remove()
})

function listenerSettings(broker: number, controller: number): string[] {
  const outside = `PLAINTEXT://127.0.0.1:${broker},LOGIN://127.0.0.1:${saslPort},TLS://127.0.0.1:${tlsPort}`
  return [
    `listeners=${outside},CONTROLLER://127.0.0.1:${controller}`,
    `advertised.listeners=${outside},CONTROLLER://127.0.0.1:${controller}`,
    'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,LOGIN:SASL_PLAINTEXT,TLS:SSL',
  ]
}

function saslSettings(): string[] {
  const modules = 'org.apache.kafka.common.security'
  const login = (mechanism: string, module: string) =>
    `listener.name.login.${mechanism}.sasl.jaas.config=${modules}.${module};`
  return [
    'sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
    login('plain', 'plain.PlainLoginModule required user_me="secret"'),
    login('scram-sha-256', 'scram.ScramLoginModule required'),
    login('scram-sha-512', 'scram.ScramLoginModule required'),
    login('oauthbearer', 'oauthbearer.OAuthBearerLoginModule required'),
  ]
}

/** A certificate of its own for the broker, which is its own authority. */
function tlsSettings(): string[] {
  // It comes with every Java.
  const keytool = join(dirname(realpathSync(requireTool('java'))), 'keytool')
  const store = join(folder.path, 'store.p12')
  const storeArgs = ['-alias', 'broker', '-keystore', store, '-storepass', 'secret']
  const subject = ['-dname', 'CN=127.0.0.1', '-ext', 'san=ip:127.0.0.1', '-validity', '2']
  const key = ['-keyalg', 'RSA', '-storetype', 'PKCS12']
  execFileSync(keytool, ['-genkeypair', ...storeArgs, ...key, ...subject], { stdio: 'ignore' })
  writeFileSync(caFile, execFileSync(keytool, ['-exportcert', '-rfc', ...storeArgs]))
  return [
    'listener.name.tls.ssl.keystore.type=PKCS12',
    `listener.name.tls.ssl.keystore.location=${store}`,
    'listener.name.tls.ssl.keystore.password=secret',
    'listener.name.tls.ssl.key.password=secret',
  ]
}

function topicsWith(port: number, environment: Readonly<Record<string, string>>) {
  const settings = readKafkaSettings(environment, `127.0.0.1:${port}`)
  assert.ok(settings)
  return initKafka(settings)
}

for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512']) {
  test(`a broker that wants ${mechanism} is spoken to with the right password alone`, async () => {
    const environment = {
      TOKENFUSE_KAFKA_SASL: mechanism,
      TOKENFUSE_KAFKA_USERNAME: 'me',
      TOKENFUSE_KAFKA_PASSWORD_FILE: passwordFile,
    }
    assert.equal((await topicsWith(saslPort, environment)).length, 5)
    const wrong = { ...environment, TOKENFUSE_KAFKA_PASSWORD: 'wrong' }
    await assert.rejects(topicsWith(saslPort, wrong), { code: 'log_unavailable' })
  })
}

test('a broker that wants oauthbearer is shown the token of the file', async () => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const now = Math.floor(Date.now() / 1000)
  const claims = { sub: 'me', iat: now, exp: now + 600 }
  writeFileSync(tokenFile, `${part({ alg: 'none' })}.${part(claims)}.\n`)
  const environment = {
    TOKENFUSE_KAFKA_SASL: 'oauthbearer',
    TOKENFUSE_KAFKA_TOKEN_FILE: tokenFile,
  }
  assert.equal((await topicsWith(saslPort, environment)).length, 5)
})

test('a broker with TLS is spoken to where its authority is named, and not otherwise', async () => {
  const environment = { TOKENFUSE_KAFKA_TLS_CA_FILE: caFile }
  assert.equal((await topicsWith(tlsPort, environment)).length, 5)
  await assert.rejects(topicsWith(tlsPort, { TOKENFUSE_KAFKA_TLS: 'true' }), {
    code: 'log_unavailable',
  })
})
