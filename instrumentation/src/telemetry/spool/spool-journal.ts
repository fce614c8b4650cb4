import {
  closeSync,
  constants,
  ftruncateSync,
  openSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { EncodedSpan } from '../otlp-json.ts'
import { liveName, renamed, SEGMENT_IDLE_MS } from './spool-file.ts'
import { openSpoolFolder, SPOOL_BYTES_MAX, spoolFolderBytes } from './spool-folder.ts'
import type { SpoolFolder } from './spool-folder.ts'
import { spoolLine } from './spool-lines.ts'

const SEGMENT_BYTES_MAX = 1024 * 1024
/**
 * A write that takes longer has hit a disk in trouble, and the app must not wait for it again soon. Well beyond what a
 * busy machine makes of any write.
 */
const SLOW_WRITE_MS = 1_000
const REST_MS = 60_000
const REST_WHEN_FULL_MS = 5_000

/** A file of the journal. Of the spans in it, `pending` were not settled yet. */
export type Segment = {
  readonly path: string
  readonly descriptor: number
  bytes: number
  spans: number
  pending: number
  writtenMs: number
}

/** A span, and where it is kept, if it is. */
export type Kept = { readonly span: EncodedSpan; readonly segment: Segment | null }

export type SpoolJournalSettings = {
  readonly folder: SpoolFolder
  /** Who is to get the spans, as `destinationsOf` names it; asked when the first span is written. */
  readonly findDestination: () => string
  readonly guardId: string
  /** Bytes of the whole folder beyond which nothing more is written. */
  readonly maxFolderBytes?: number
}

/**
 * Keeps each span on disk from the moment it is recorded until it is settled, so that it outlives the process
 * however that ends: by a signal, kill -9, or a loop that never turns again. A write goes to the page cache and
 * takes a few microseconds. No signal needs to be listened to, which an app could notice.
 *
 * Nothing here throws: where the disk does not play along, a span is just not kept.
 */
export class SpoolJournal {
  readonly #settings: SpoolJournalSettings
  #current: Segment | null = null
  /** Those that are full, but not settled. */
  readonly #full = new Set<Segment>()
  #sequence = 0
  #restUntilMs = 0

  constructor(settings: SpoolJournalSettings) {
    this.#settings = settings
  }

  /** Writes one span; `null` where it could not be kept. */
  append(span: EncodedSpan): Segment | null {
    const nowMs = performance.now()
    if (nowMs < this.#restUntilMs) return null
    try {
      const line = Buffer.from(spoolLine(span))
      const segment = this.#segmentFor(line.length, nowMs)
      if (segment === null) return null
      const startMs = performance.now()
      writeWhole(segment, line)
      segment.spans++
      segment.pending++
      segment.writtenMs = nowMs
      if (performance.now() - startMs > SLOW_WRITE_MS) this.#rest(REST_MS)
      return segment
    } catch {
      this.#rest(REST_MS)
      return null
    }
  }

  /** One span of the segment needs to be kept no longer. */
  settle(segment: Segment): void {
    segment.pending--
    if (segment.pending > 0) return
    try {
      if (this.#full.delete(segment)) unlinkSync(segment.path)
      else if (segment === this.#current) {
        ftruncateSync(segment.descriptor)
        segment.bytes = 0
        segment.spans = 0
      }
    } catch {
      // Then someone sends its spans once more, and they are known by their ids.
    }
  }

  /**
   * The process ends: leaves what is given for others to send, and nothing that was settled. Returns how many of
   * the spans are kept.
   */
  close(unsettled: readonly Kept[]): number {
    const old = this.#retire()
    // What holds nothing else can stay, which after an outage is nearly all.
    const intact = new Set(old.filter(({ spans, pending }) => spans > 0 && spans === pending))
    const mixed = old.filter((segment) => !intact.has(segment))
    const moving = unsettled.filter(({ segment }) => segment === null || !intact.has(segment))
    const moved = this.#writeAll(moving)
    const written = this.#retire()
    for (const segment of intact) release(segment.path)
    if (moved === moving.length) {
      for (const segment of written) release(segment.path)
      for (const segment of mixed) remove(segment.path)
      return unsettled.length
    }
    // No room for them beside the mixed files, so those stay as they are and only what is in none is added.
    for (const segment of written) remove(segment.path)
    const lacking = unsettled.filter(({ segment }) => segment === null)
    const added = this.#writeAll(lacking)
    for (const segment of [...mixed, ...this.#retire()]) release(segment.path)
    return unsettled.length - lacking.length + added
  }

  /** How many of the spans were written, from the first. A disk in trouble is waited for: there is no later. */
  #writeAll(spans: readonly Kept[]): number {
    let written = 0
    for (const { span } of spans) {
      this.#restUntilMs = 0
      if (this.append(span) === null) break
      written++
    }
    return written
  }

  /** All segments, closed. */
  #retire(): Segment[] {
    const segments = [...this.#full, ...(this.#current ? [this.#current] : [])]
    if (this.#current) close(this.#current.descriptor)
    this.#full.clear()
    this.#current = null
    return segments
  }

  #segmentFor(bytes: number, nowMs: number): Segment | null {
    const current = this.#current
    if (current !== null) {
      const idle = nowMs - current.writtenMs > SEGMENT_IDLE_MS
      if (!idle && (current.bytes === 0 || current.bytes + bytes <= SEGMENT_BYTES_MAX)) {
        return current
      }
      this.#finish(current)
    }
    this.#current = this.#open(bytes, nowMs)
    return this.#current
  }

  #finish(segment: Segment): void {
    this.#current = null
    close(segment.descriptor)
    if (segment.pending > 0) this.#full.add(segment)
    else remove(segment.path)
  }

  #open(bytes: number, nowMs: number): Segment | null {
    const { folder, findDestination, guardId, maxFolderBytes = SPOOL_BYTES_MAX } = this.#settings
    openSpoolFolder(folder)
    if (spoolFolderBytes(folder.directory) + bytes > maxFolderBytes) {
      this.#rest(REST_WHEN_FULL_MS)
      return null
    }
    const path = join(folder.directory, liveName(findDestination(), guardId, ++this.#sequence))
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_APPEND
    const descriptor = openSync(path, flags, 0o600)
    return { path, descriptor, bytes: 0, spans: 0, pending: 0, writtenMs: nowMs }
  }

  #rest(restMs: number): void {
    this.#restUntilMs = performance.now() + restMs
  }
}

/** All of the line, or nothing: half a line would spoil the next. */
function writeWhole(segment: Segment, line: Buffer): void {
  const written = writeSync(segment.descriptor, line)
  if (written < line.length) {
    ftruncateSync(segment.descriptor, segment.bytes)
    throw new Error('the disk is full')
  }
  segment.bytes += line.length
}

function close(descriptor: number): void {
  try {
    closeSync(descriptor)
  } catch {
    // A late error of the disk: what was written is known by then.
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // Gone already, or to be sent again by another.
  }
}

function release(path: string): void {
  try {
    renameSync(path, renamed(path, 'spool'))
  } catch {
    // As a file of a process that is gone it will be found all the same.
  }
}
