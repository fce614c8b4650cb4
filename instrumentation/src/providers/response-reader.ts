import { ByteBuffer, decodeByteString } from './byte-buffer.ts'
import type { DialectRules, EndReason, ResponseFacts } from './dialect-rules.ts'
import { parseObject } from './json.ts'
import { OutputText } from './output-text.ts'
import { note, type ResponseProblem } from './problems.ts'
import { SseParser } from './sse-parser.ts'

/** Longest body that is kept to be read. */
const MAX_BODY_BYTES = 64 * 1024 * 1024
const DONE = '[DONE]'

/** Reads one response as its decoded bytes arrive. Never throws. */
export interface ResponseReader {
  push(bytes: Uint8Array): void
  /** What is known now; to be called once, when no more bytes come. */
  end(reason: EndReason): ResponseFacts
}

/** A response whose events are reduced one by one; only those that can matter are parsed. */
export class EventStreamReader<S> implements ResponseReader {
  readonly #rules: DialectRules<S>
  readonly #parser: SseParser
  readonly #outputText = new OutputText()
  readonly #problems: ResponseProblem[] = []
  #state: S
  #isDone = false

  constructor(rules: DialectRules<S>) {
    this.#rules = rules
    this.#state = rules.initial
    this.#parser = new SseParser(
      (data) => this.#readEvent(data),
      () => note(this.#problems, 'event_too_large'),
    )
  }

  push(bytes: Uint8Array): void {
    if (!this.#isDone) this.#parser.push(bytes)
  }

  end(reason: EndReason): ResponseFacts {
    if (!this.#isDone) this.#parser.end()
    const facts = this.#rules.conclude(this.#state, this.#isDone ? 'complete' : reason)
    return withReadersView(facts, this.#outputText, this.#problems)
  }

  #readEvent(data: string): void {
    if (this.#isDone) return
    if (data === DONE) {
      this.#isDone = true
      return
    }
    const { mayChange, textNames } = this.#rules.glance(this.#state, data)
    this.#outputText.add(data, textNames)
    if (!mayChange) return
    const event = parseObject(decodeByteString(data))
    if (event) this.#state = this.#rules.reduce(this.#state, event)
    else note(this.#problems, 'event_malformed')
  }
}

/** A response whose body is one JSON object. */
export class BodyReader<S> implements ResponseReader {
  readonly #rules: DialectRules<S>
  readonly #body: ByteBuffer
  readonly #problems: ResponseProblem[] = []

  constructor(rules: DialectRules<S>, maxBodyBytes: number = MAX_BODY_BYTES) {
    this.#rules = rules
    this.#body = new ByteBuffer(maxBodyBytes)
  }

  push(bytes: Uint8Array): void {
    if (this.#problems.length > 0) return
    this.#body.append(bytes)
    if (!this.#body.overflowed) return
    this.#body.clear()
    note(this.#problems, 'body_too_large')
  }

  end(reason: EndReason): ResponseFacts {
    const body = this.#body.length === 0 ? null : parseObject(this.#body.toText())
    if (!body && this.#body.length > 0 && reason === 'complete') {
      note(this.#problems, 'body_malformed')
    }
    const { initial, readBody, conclude, bodyTextNames } = this.#rules
    const facts = conclude(body ? readBody(body) : initial, body ? 'complete' : reason)
    const outputText = new OutputText()
    if (facts.source !== 'provider') outputText.add(this.#body.toByteString(), bodyTextNames)
    this.#body.clear()
    return withReadersView(facts, outputText, this.#problems)
  }
}

function withReadersView(
  facts: Omit<ResponseFacts, 'outputText'>,
  outputText: OutputText,
  problems: readonly ResponseProblem[],
): ResponseFacts {
  return {
    ...facts,
    problems: [...facts.problems, ...problems],
    outputText: facts.source === 'provider' ? '' : outputText.toString(),
  }
}
