import { createReadStream, statSync } from 'node:fs'
import { TokenfuseError } from '@tokenfuse/protocol'
import { LineSplitter } from './line-splitter.ts'
import { readLine, type RecordedLine } from './recorded-line.ts'

const PIECE_BYTES = 1 << 20

/** Some lines of a file that stand together. */
export type RecordedLines = {
  /** In order, each read when it is asked for. */
  readonly lines: Iterable<RecordedLine>
  /** Of `totalBytes`, what was read so far. */
  readonly readBytes: number
  readonly totalBytes: number
}

/**
 * What stands in a file of events, some lines at a time, so that a file of any length takes little memory.
 * @throws TokenfuseError `file_unreadable`
 */
export async function* recordedFile(path: string): AsyncGenerator<RecordedLines> {
  const splitter = new LineSplitter()
  try {
    const totalBytes = statSync(path).size
    let readBytes = 0
    for await (const piece of createReadStream(path, { highWaterMark: PIECE_BYTES })) {
      readBytes += (piece as Buffer).length
      yield { lines: readEach(splitter.push(piece as Buffer)), readBytes, totalBytes }
    }
    yield { lines: readEach(splitter.end()), readBytes, totalBytes }
  } catch (cause) {
    throw new TokenfuseError('file_unreadable', `${path} cannot be read`, {
      fix: 'Check its name and that you may read it.',
      cause,
    })
  }
}

function* readEach(lines: readonly (string | null)[]): Generator<RecordedLine> {
  for (const line of lines) yield readLine(line)
}
