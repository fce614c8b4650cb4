import { byteString, decodeByteString } from './byte-buffer.ts'
import { asObject, parseObject } from './json.ts'

/** Takes something out of a stream of bytes; what stays comes out as soon as that is sure. */
export interface ByteFilter {
  push(bytes: Uint8Array): Uint8Array
  /** The stream is over: what was still held. */
  end(): Uint8Array
}

/** The usage event is well below this; a longer event stays, whatever it holds. */
const MAX_USAGE_EVENT_BYTES = 8 * 1024
const NO_CHOICE = /"choices"\s*:\s*\[\s*\]/
const SOME_CHOICE = /"choices"\s*:\s*\[\s*[^\s\]]/
const FIRST_OF_DATA = /^data: ?(\S?)/m
const DATA_LINES = /^data: ?(.*?)\r?$/gm

/**
 * Removes from a stream of chat completions exactly the event that `stream_options.include_usage` adds: empty
 * choices together with usage. Every other byte passes unchanged. An event is held back only while it is
 * incomplete and may still turn out to be that one.
 */
export function createUsageChunkFilter(): ByteFilter {
  return new UsageChunkFilter()
}

class UsageChunkFilter implements ByteFilter {
  /** The beginning of an event on which nothing is decided, as a byte string. */
  #held = ''
  /** Where an event that stays has not ended yet: its last line so far, abbreviated; only an empty one ends it. */
  #passingLine: string | null = null

  push(bytes: Uint8Array): Uint8Array {
    const text = byteString(bytes)
    const heldBefore = this.#held
    const isBetweenEvents = heldBefore === '' && this.#passingLine === null
    if (isBetweenEvents && endsBetweenEvents(text) && !NO_CHOICE.test(text)) return bytes
    const passed = this.#filter(text)
    if (heldBefore === '' && passed.length === text.length) return bytes
    return Buffer.from(passed, 'latin1')
  }

  end(): Uint8Array {
    const rest = isUsageEvent(this.#held) ? '' : this.#held
    this.#held = ''
    return Buffer.from(rest, 'latin1')
  }

  #filter(text: string): string {
    let passed = ''
    let rest = text
    if (this.#passingLine !== null) {
      const line = this.#passingLine
      const end = endOfEvent(line + text, 0) - line.length
      if (end < 0) {
        this.#passingLine = lastLine(line + text)
        return text
      }
      this.#passingLine = null
      passed = text.slice(0, end)
      rest = text.slice(end)
    }
    rest = this.#held + rest
    let start = 0
    let end = endOfEvent(rest, start)
    while (end >= 0) {
      const event = rest.slice(start, end)
      if (!isUsageEvent(event)) passed += event
      start = end
      end = endOfEvent(rest, start)
    }
    const begun = rest.slice(start)
    this.#held = mayBecomeUsageEvent(begun) ? begun : ''
    if (this.#held === begun) return passed
    this.#passingLine = lastLine(begun)
    return passed + begun
  }
}

function endsBetweenEvents(text: string): boolean {
  return text.endsWith('\n\n') || text.endsWith('\n\r\n')
}

/** The index after the blank line that ends the event which begins at `start`; -1 where it has not ended. */
function endOfEvent(text: string, start: number): number {
  let line = start
  let end = text.indexOf('\n', line)
  while (end >= 0) {
    if (end === line || (end === line + 1 && text[line] === '\r')) return end + 1
    line = end + 1
    end = text.indexOf('\n', line)
  }
  return -1
}

function lastLine(text: string): string {
  const line = text.slice(text.lastIndexOf('\n') + 1)
  return line.length > 1 ? '..' : line
}

function mayBecomeUsageEvent(begun: string): boolean {
  if (begun.length > MAX_USAGE_EVENT_BYTES || SOME_CHOICE.test(begun)) return false
  const first = FIRST_OF_DATA.exec(begun)?.[1] ?? ''
  return first === '' || first === '{'
}

function isUsageEvent(event: string): boolean {
  if (!NO_CHOICE.test(event) || !mayBecomeUsageEvent(event)) return false
  const data = Array.from(event.matchAll(DATA_LINES), ([, line]) => line).join('\n')
  const chunk = parseObject(decodeByteString(data))
  const choices = chunk?.['choices']
  return Array.isArray(choices) && choices.length === 0 && asObject(chunk?.['usage']) !== null
}
