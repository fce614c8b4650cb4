import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as protocol from '@tokenfuse/protocol/names'
import { parse } from 'yaml'
import { ATTRIBUTE_NAMES } from '../../processor/src/meter/attribute-table.ts'

const FILE = join(import.meta.dirname, '../../otel-collector.yaml')

type CollectorFile = {
  readonly processors: Readonly<
    Record<
      string,
      {
        readonly allowed_keys?: string[]
        readonly ignored_key_patterns?: string[]
        readonly metric_conditions?: string[]
        readonly metric_statements?: string[]
      }
    >
  >
  readonly exporters: {
    readonly kafka: { readonly sending_queue: Readonly<Record<string, unknown>> }
  }
}
const file = parse(readFileSync(FILE, 'utf8')) as CollectorFile
const { allowed_keys: allowed = [], ignored_key_patterns: patterns = [] } =
  file.processors['redaction/allow'] ?? {}

/** Every name of the protocol; prefixes are followed by names of the user's own or by a fixed few. */
const names = Object.entries(protocol).flatMap(([name, value]) =>
  name.startsWith('ATTR_') && typeof value === 'string' && !value.endsWith('.') ? [value] : [],
)

test('the Collector lets pass every attribute that the meter reads: a forgotten one would cost nothing', () => {
  const missing = ATTRIBUTE_NAMES.filter((name) => !allowed.includes(name))
  assert.deepEqual(missing, [])
})

test('the Collector lets pass every attribute that the preload sends, and no other but older names of the same', () => {
  const savings = ['strategy', 'input_tokens', 'output_tokens'].map(
    (name) => protocol.ATTR_SAVINGS_PREFIX + name,
  )
  const known = new Set([...names, ...savings, ...Object.keys(protocol.LEGACY_ATTRIBUTES)])
  assert.deepEqual(
    names.filter((name) => !allowed.includes(name)),
    [],
  )
  assert.deepEqual(
    allowed.filter((name) => !known.has(name)),
    [],
  )
  assert.deepEqual(patterns, [`^${protocol.ATTR_TAG_PREFIX.replaceAll('.', '\\.')}`])
})

test('the Collector lets pass every metric of the agents, with its labels', () => {
  const [condition = ''] = file.processors['filter/agent-metrics']?.metric_conditions ?? []
  const [, pattern = 'none'] = /^not IsMatch\(metric\.name, "(.*)"\)$/.exec(condition) ?? []
  const passes = new RegExp(pattern.replaceAll('\\\\', '\\'))
  const [statement = ''] = file.processors['transform/agent-metrics']?.metric_statements ?? []
  const [, kept = '[]'] = /^keep_keys\(datapoint\.attributes, (.*)\)$/.exec(statement) ?? []
  const labels = JSON.parse(kept) as string[]
  for (const metric of Object.values(protocol.AGENT_METRICS)) {
    assert.match(metric.name, passes)
    assert.deepEqual(
      metric.labels.filter((label) => !labels.includes(label)),
      [],
      metric.name,
    )
  }
})

test('what the Collector has accepted waits on disk, and senders wait when that is full', () => {
  const queue = file.exporters.kafka.sending_queue
  assert.equal(queue['storage'], 'file_storage/kafkaq')
  assert.equal(queue['block_on_overflow'], true)
})
