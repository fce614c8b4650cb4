import type { IncomingMessage, ServerResponse } from 'node:http'
import { ApiError, errorBody, statusError } from './api-error.ts'
import { Bill } from './bill.ts'
import type { Call, Endpoint } from './call.ts'
import { composeReply } from './compose.ts'
import { type Fault, parseFault } from './fault.ts'
import { responseHeaders, retryHeaders } from './headers.ts'
import { type Exchange, nowMs, record, viewInFlight } from './exchange.ts'
import { newId } from './ids.ts'
import { asText } from './json.ts'
import type { Outcome } from './ledger.ts'
import { drawLognormal, hashText, mixHash, type Random, seededRandom } from './random.ts'
import type { Reply } from './reply.ts'
import { checkKey, familyOf, readBody, readWishes, type Wishes } from './request.ts'
import { type Delivery, sendStream, sendWhole } from './send.ts'
import { DIALECTS, type StandIn } from './stand-in.ts'
import { Wire } from './wire.ts'

/** Answers a call, bills what was sent, and writes it down whatever happened. */
export async function serveCall(
  standIn: StandIn,
  endpoint: Endpoint,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const exchange: Exchange = {
    standIn,
    endpoint,
    requestId: newId('req_'),
    startedAt: nowMs(),
    wire: new Wire(request, response),
    progress: { status: null, generatedTokens: 0, usageSent: false },
    wishes: null,
    label: asText(request.headers['x-stand-in-label']),
    model: 'unknown',
    call: null,
    reply: null,
    bill: null,
    faultText: null,
  }
  standIn.ledger.begin(exchange.requestId, () => viewInFlight(exchange))
  let outcome: Outcome = 'error'
  try {
    outcome = await answer(exchange, request)
  } catch (error) {
    outcome = await refuse(exchange, asApiError(error), {})
  } finally {
    record(exchange, outcome)
  }
}

/** A mistake of a test's own, such as a fault that does not exist, is answered so that the test shows it. */
function asApiError(error: unknown): ApiError {
  return error instanceof ApiError ? error : new ApiError(500, `stand-in: ${String(error)}`)
}

async function answer(exchange: Exchange, request: IncomingMessage): Promise<Outcome> {
  const { standIn, endpoint } = exchange
  if (standIn.ledger.full) throw new ApiError(500, 'The ledger of the stand-in is full.')
  const wishes = readWishes(request, standIn.config)
  exchange.wishes = wishes
  if (wishes.config.gzip === 'accepted') exchange.wire.allowGzip()
  checkKey(request, familyOf(endpoint))
  const body = await readBody(request)
  const [modelName = '', modelFault] = (asText(body['model']) ?? '').split('@')
  exchange.model = modelName
  const call = standIn.read(endpoint, body, modelName, wishes.config)
  exchange.call = call
  exchange.label ??= call.user
  const script = wishes.reply ?? standIn.queue.take(exchange.label) ?? {}
  const content = contentHash(call, wishes.config.seed)
  const fault = chooseFault(
    [wishes.fault, script.fault, modelFault],
    wishes,
    mixHash(content, wishes.attempt + 1),
    exchange,
  )
  if (fault?.kind === 'status') {
    return refuse(exchange, statusError(fault.status), retryHeaders(fault.retryAfterMs))
  }
  if (fault?.kind === 'reset') {
    exchange.wire.reset()
    return 'error'
  }
  checkContext(call)
  const admitted = standIn.cache.admit(call)
  const random = seededRandom(content)
  const context = { config: wishes.config, tokenizer: standIn.tokenizer, random }
  const reply = composeReply(call, script, admitted, context)
  standIn.remember(reply)
  return deliver(exchange, call, reply, planDelivery(exchange, wishes, fault, random))
}

function checkContext({ model, segments, hiddenTokens, compactAbove }: Call): void {
  const input = segments.reduce((total, segment) => total + segment.tokens, hiddenTokens)
  if (input <= model.contextTokens || compactAbove !== null) return
  throw new ApiError(400, `This model's maximum context length is ${model.contextTokens} tokens.`, {
    code: 'context_length_exceeded',
    parameter: 'messages',
  })
}

function chooseFault(
  asked: readonly (string | null | undefined)[],
  { attempt, config }: Wishes,
  seed: number,
  exchange: Exchange,
): Fault | null {
  const named = asked.find((text) => text !== null && text !== undefined)
  if (named !== undefined && named !== null) return parsed(named)
  const random = seededRandom(seed)
  for (const [text, rate] of Object.entries(config.faultRates)) {
    if (random() < rate) return parsed(text)
  }
  return null

  function parsed(text: string): Fault | null {
    const fault = parseFault(text, attempt)
    if (fault) exchange.faultText = text
    return fault
  }
}

function planDelivery(
  exchange: Exchange,
  { config }: Wishes,
  fault: Fault | null,
  random: Random,
): Delivery {
  const { firstTokenMs, tokensPerSecond } = config.latency
  const family = familyOf(exchange.endpoint)
  const type = exchange.call?.stream ? 'text/event-stream; charset=utf-8' : 'application/json'
  const waitMs =
    (firstTokenMs.median > 0 ? drawLognormal(random, firstTokenMs) : 0) +
    (fault?.kind === 'delay' ? fault.forMs : 0)
  return {
    headers: responseHeaders(family, exchange.requestId, type, nowMs() - exchange.startedAt),
    fault,
    firstTokenMs: waitMs,
    tokensPerSecond: fault?.kind === 'slow' ? fault.tokensPerSecond : tokensPerSecond,
  }
}

async function deliver(
  exchange: Exchange,
  call: Call,
  reply: Reply,
  delivery: Delivery,
): Promise<Outcome> {
  const { standIn, wire, progress, wishes } = exchange
  const models = wishes?.config.models ?? standIn.config.models
  const bill = new Bill(call.model, call.serviceTier, models, reply.startTokens)
  exchange.reply = reply
  exchange.bill = bill
  const dialect = DIALECTS[call.endpoint]
  if (call.stream) {
    const steps = dialect.stream(reply, wishes?.config.tokensPerEvent ?? 1)
    const error = dialect.streamError(reply)
    return sendStream(wire, steps, error, delivery, progress, (step) => {
      if (step.bills) bill.add(step.bills)
    })
  }
  const whole = dialect.whole(reply)
  const outcome = await sendWhole(wire, whole, reply.tokens.output, delivery, progress)
  // A body is sent when all of it has been generated, or broken after that.
  if (progress.status !== null) billWhole(bill, reply)
  return outcome
}

function billWhole(bill: Bill, reply: Reply): void {
  const input = reply.tokens.input - reply.startTokens.input
  bill.add({ input, webSearches: reply.webSearches })
  for (const extra of [reply.compaction, reply.advisor]) if (extra) bill.add({ extra })
}

async function refuse(
  exchange: Exchange,
  error: ApiError,
  extraHeaders: Record<string, string>,
): Promise<Outcome> {
  if (exchange.progress.status !== null) {
    exchange.wire.reset()
    return 'error'
  }
  const family = familyOf(exchange.endpoint)
  const headers = responseHeaders(family, exchange.requestId, 'application/json', 0)
  exchange.progress.status = error.status
  const body = errorBody(family, error, exchange.requestId)
  await exchange.wire.sendWhole(error.status, { ...headers, ...extraHeaders }, body)
  return 'error'
}

function contentHash(call: Call, seed: number): number {
  const start = mixHash(hashText(call.model.id), seed)
  return call.segments.reduce((hash, segment) => mixHash(hash, segment.hash), start)
}
