import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/** One recorded answer of a provider, as it would come over HTTP. */
export type RecordedResponse = {
  /** The recording's file name; ` #2` and so on where a recording holds several answers. */
  readonly name: string
  readonly contentType: 'application/json' | 'text/event-stream'
  /** The whole body, not compressed. */
  readonly body: Buffer
  /** The events' data of a stream, in order, without `[DONE]`; empty for a JSON body. */
  readonly events: readonly string[]
}

/** The recordings of a provider's folder, in order of their names. */
export function recordingNames(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json') || name.endsWith('.chunks.txt'))
    .sort()
}

/**
 * The answers of a recording, in order: a `.json` is one, a `.chunks.txt` (one event's data a line) may hold
 * several back to back.
 */
export function loadRecording(path: string): RecordedResponse[] {
  const name = basename(path)
  const bytes = readFileSync(path)
  if (!name.endsWith('.chunks.txt')) {
    return [{ name, contentType: 'application/json', body: bytes, events: [] }]
  }
  const lines = bytes.toString('utf8').split('\n')
  const answers = splitAnswers(lines.filter((line) => line.trim() !== ''))
  return answers.map((events, index) => ({
    name: index === 0 ? name : `${name} #${index + 1}`,
    contentType: 'text/event-stream',
    body: sseBody(events),
    events,
  }))
}

/** Every answer in a provider's folder. */
export function loadFolder(folder: string): RecordedResponse[] {
  return recordingNames(folder).flatMap((name) => loadRecording(join(folder, name)))
}

/**
 * Events as a provider frames them: with an `event` line where the data names its type, else as OpenAI's chat
 * completions do, with `[DONE]` at the end.
 * @param lineEnd `\n`, or `\r\n` as some gateways write
 */
export function sseBody(events: readonly string[], lineEnd = '\n'): Buffer {
  const blocks = events.map((data) => {
    const type = typeOf(data)
    const lines = type === null ? [`data: ${data}`] : [`event: ${type}`, `data: ${data}`]
    return lines.join(lineEnd) + lineEnd + lineEnd
  })
  const isTyped = events.some((data) => typeOf(data) !== null)
  return Buffer.from(blocks.join('') + (isTyped ? '' : `data: [DONE]${lineEnd}${lineEnd}`))
}

/** An answer begins at `response.created`, and after `message_stop`. */
function splitAnswers(lines: readonly string[]): string[][] {
  const answers: string[][] = [[]]
  for (const line of lines) {
    const answer = answers.at(-1) ?? []
    const isNext =
      typeOf(line) === 'response.created' || typeOf(answer.at(-1) ?? '') === 'message_stop'
    if (isNext && answer.length > 0) answers.push([line])
    else answer.push(line)
  }
  return answers
}

/** Searched in the text, as some recorded lines are no valid JSON. */
function typeOf(data: string): string | null {
  return /^\{(?:"sequence_number":\d+,)?"type":"([a-z_.]+)"/.exec(data)?.[1] ?? null
}
