import { promisify } from 'node:util'
import { zstdCompress, zstdDecompress } from 'node:zlib'
import { TokenfuseError } from '@tokenfuse/protocol'
import kafkajs from 'kafkajs'

const compressZstd = promisify(zstdCompress)
const decompressZstd = promisify(zstdDecompress)

/** Adds to kafkajs, which knows gzip alone, what this Node can do, and says clearly what it cannot. */
export function addCodecs(): void {
  const { CompressionCodecs, CompressionTypes } = kafkajs
  CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: ({ buffer }: { buffer: Buffer }) => compressZstd(buffer),
    decompress: (buffer: Buffer) => decompressZstd(buffer),
  })
  CompressionCodecs[CompressionTypes.LZ4] = () => unsupported('lz4')
  CompressionCodecs[CompressionTypes.Snappy] = () => unsupported('snappy')
}

function unsupported(codec: string) {
  const refuse = (): never => {
    throw new TokenfuseError('kafka_topics', `a record is compressed with ${codec}`, {
      fix: 'Give the topic compression.type=gzip, as "tokenfuse kafka init" does, or let its producers use gzip or zstd.',
    })
  }
  return { compress: refuse, decompress: refuse }
}
