import assert from 'node:assert/strict'
import { test } from 'node:test'
import kafkajs from 'kafkajs'
import { addCodecs } from '../../../../processor/src/log/kafka/codecs.ts'

type Codec = {
  compress(encoder: { buffer: Buffer }): Promise<Buffer>
  decompress(buffer: Buffer): Promise<Buffer>
}

function codec(type: number): Codec {
  addCodecs()
  return (kafkajs.CompressionCodecs as Record<number, () => Codec>)[type]?.() as Codec
}

test('zstd can be read and written', async () => {
  const zstd = codec(kafkajs.CompressionTypes.ZSTD)
  const text = Buffer.from('spans '.repeat(1000))
  const packed = await zstd.compress({ buffer: text })
  assert.ok(packed.length < text.length)
  assert.deepEqual(await zstd.decompress(packed), text)
})

test('what cannot be read says what to do', () => {
  for (const [type, name] of [
    [kafkajs.CompressionTypes.LZ4, 'lz4'],
    [kafkajs.CompressionTypes.Snappy, 'snappy'],
  ] as const) {
    assert.throws(() => codec(type).decompress(Buffer.alloc(0)), {
      code: 'kafka_topics',
      message: new RegExp(name),
      fix: /compression\.type=gzip/,
    })
  }
})
