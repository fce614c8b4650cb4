import { createReadStream, statSync } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'
import { TokenfuseError } from '@tokenfuse/protocol'

/** No event is that long; a file that is none can be one line of gigabytes. */
const MAX_LINE = 4_000_000
const CHUNK_BYTES = 1 << 20

/** Some lines of a file that stand together. */
export type LineBatch = {
  /** Counts from 1. */
  readonly firstLine: number
  /** `null` is a line that is too long. */
  readonly lines: readonly (string | null)[]
  /** Of `totalBytes`, what was read so far. */
  readonly readBytes: number
  readonly totalBytes: number
}

/**
 * The lines of a text file, some at a time, so that a file of any length takes little memory.
 * @throws TokenfuseError `file_unreadable`
 */
export async function* fileLines(path: string): AsyncGenerator<LineBatch> {
  try {
    const totalBytes = statSync(path).size
    yield* split(createReadStream(path, { highWaterMark: CHUNK_BYTES }), totalBytes)
  } catch (cause) {
    if (TokenfuseError.isInstance(cause)) throw cause
    throw new TokenfuseError('file_unreadable', `${path} cannot be read`, {
      fix: 'Check its name and that you may read it.',
      cause,
    })
  }
}

async function* split(
  chunks: AsyncIterable<Buffer>,
  totalBytes: number,
): AsyncGenerator<LineBatch> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  let isTooLong = false
  let firstLine = 1
  let readBytes = 0
  for await (const chunk of chunks) {
    readBytes += chunk.length
    const pieces: (string | null)[] = (rest + decoder.write(chunk)).split('\n')
    rest = pieces.pop() ?? ''
    if (isTooLong && pieces.length > 0) {
      pieces[0] = null
      isTooLong = false
    }
    if (rest.length > MAX_LINE) {
      isTooLong = true
      rest = ''
    }
    if (pieces.length > 0) yield { firstLine, lines: pieces, readBytes, totalBytes }
    firstLine += pieces.length
  }
  rest += decoder.end()
  if (rest === '' && !isTooLong) return
  yield { firstLine, lines: [isTooLong ? null : rest], readBytes, totalBytes }
}
