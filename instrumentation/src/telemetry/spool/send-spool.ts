import { readdir, readFile, rename, stat, unlink, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { createHttpClient } from '../../transport/http-client.ts'
import { destinationsOf } from '../../transport/target.ts'
import { createDelivery } from '../delivery.ts'
import type { Deliver } from '../delivery.ts'
import { sendInHalves } from '../send-in-halves.ts'
import { REQUEST_BYTES_MAX, REQUEST_SPANS_MAX } from '../sender.ts'
import { SpanBuffer } from '../span-buffer.ts'
import type { EncodedSpan } from '../otlp-json.ts'
import { isAbandoned, parseSpoolName, renamed, RETENTION_MS } from './spool-file.ts'
import type { SpoolFile } from './spool-file.ts'
import { isOurs, SPOOL_BYTES_MAX } from './spool-folder.ts'
import { parseSpoolLines } from './spool-lines.ts'

export type SpoolReport = {
  /** Spans that the receiver has acknowledged. */
  readonly sentSpans: number
  /** Spans that it will never take. */
  readonly droppedSpans: number
  /** Files that were dealt with and are gone. */
  readonly files: number
  /** Files that were set aside as `.bad` since some of their lines hold no span; their other spans were sent. */
  readonly damagedFiles: number
  /** Files deleted since they were older than a processor keeps its log. */
  readonly expiredFiles: number
  /** Files that wait for the next try: the receiver was not to be reached, or did not take them now. */
  readonly failed: number
}

export type SendSpoolOptions = {
  readonly directory: string
  /** Where spans are posted, such as `http://127.0.0.1:4319/v1/traces`. */
  readonly endpoint: string | URL
  /** Lower-case names; with the `authorization` that the processor expects. */
  readonly headers: Readonly<Record<string, string>>
  /** The folder of the processor's state, where it is known: `.tokenfuse`, as an absolute path. */
  readonly dataDirectory?: string
}

/**
 * Sends what earlier processes have left in the spool for this receiver, and keeps the process alive until that is
 * done. Rejects only where `endpoint` is no address.
 */
export async function sendSpool(options: SendSpoolOptions): Promise<SpoolReport> {
  const { directory, headers, dataDirectory = null } = options
  const target = { url: new URL(options.endpoint), headers, dataDirectory }
  const client = createHttpClient()
  try {
    const deliver = createDelivery({ client, findTarget: () => target, holdsProcess: true })
    return await sweepSpool({ directory, destinations: destinationsOf(target), deliver })
  } finally {
    client.close()
  }
}

export type SweepSettings = {
  readonly directory: string
  /** Whose files are meant. */
  readonly destinations: readonly string[]
  readonly deliver: Deliver
}

type Tally = { -readonly [Name in keyof SpoolReport]: number }

/** One pass through the folder. Never rejects. */
export async function sweepSpool(settings: SweepSettings): Promise<SpoolReport> {
  const { directory, destinations } = settings
  const tally: Tally = {
    sentSpans: 0,
    droppedSpans: 0,
    files: 0,
    damagedFiles: 0,
    expiredFiles: 0,
    failed: 0,
  }
  for (const name of await namesIn(directory)) {
    const file = parseSpoolName(name)
    if (file === null) continue
    const touched = await freeSince(directory, file, tally)
    if (touched === null) continue
    if (file.state === 'bad' || !destinations.includes(file.destination)) continue
    // One that was not to be reached a moment ago is not asked once a file.
    if (tally.failed > 0) tally.failed++
    else await sendFile(settings, file, touched, tally)
  }
  return tally
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).toSorted()
  } catch {
    return [] // No folder, no spool.
  }
}

/**
 * When the file was last written to, or `null` where somebody has it or it is none to read. Deletes it where its
 * time is over.
 */
async function freeSince(directory: string, file: SpoolFile, tally: Tally): Promise<Date | null> {
  const path = join(directory, file.name)
  try {
    const { uid, size, mtime, mtimeMs } = await stat(path)
    if (!isOurs(uid) || size > SPOOL_BYTES_MAX) return null
    const nowMs = Date.now()
    if (file.owner !== null && !isAbandoned(file.owner, mtimeMs, nowMs)) return null
    if (nowMs - mtimeMs <= RETENTION_MS) return mtime
    await unlink(path)
    tally.expiredFiles++
    return null
  } catch {
    return null // Another was faster.
  }
}

async function sendFile(
  { directory, deliver }: SweepSettings,
  file: SpoolFile,
  touched: Date,
  tally: Tally,
): Promise<void> {
  const claimed = await claim(directory, file.name)
  if (claimed === null) return
  try {
    const { spans, damagedLines } = parseSpoolLines(await readFile(claimed, 'utf8'))
    if (!(await sendAll(spans, file.guardId, deliver, tally))) {
      tally.failed++
      await utimes(claimed, touched, touched)
      await rename(claimed, join(directory, renamed(file.name, 'spool')))
      return
    }
    if (damagedLines === 0) await unlink(claimed)
    else await rename(claimed, join(directory, renamed(file.name, 'bad')))
    tally.files++
    if (damagedLines > 0) tally.damagedFiles++
  } catch {
    tally.failed++ // The disk: the claim ends with this process, and the next one tries again.
  }
}

/** The path of the file under this process's name, or `null` where another was faster. */
async function claim(directory: string, name: string): Promise<string | null> {
  const path = join(directory, renamed(name, 'claim'))
  try {
    await rename(join(directory, name), path)
    // A rename keeps the time of the last write, by which others tell whether the claim still lives.
    const now = new Date()
    await utimes(path, now, now)
    return path
  } catch {
    return null
  }
}

/** False where the receiver did not take them all now. */
async function sendAll(
  spans: readonly EncodedSpan[],
  guardId: string,
  deliver: Deliver,
  tally: Tally,
): Promise<boolean> {
  const buffer = new SpanBuffer<EncodedSpan>({ maxSpans: Infinity, maxBytes: Infinity })
  for (const span of spans) buffer.push(span)
  while (buffer.size > 0) {
    const retry = await sendInHalves(
      buffer.peek(REQUEST_SPANS_MAX, REQUEST_BYTES_MAX),
      (batch) => deliver({ spans: batch, guardId, droppedSpans: 0 }),
      (count, fate) => {
        buffer.take(count)
        if (fate === 'acknowledged') tally.sentSpans += count
        else tally.droppedSpans += count
      },
    )
    if (retry !== null) return false
  }
  return true
}
