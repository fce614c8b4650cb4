import type { IncomingMessage } from 'node:http'
import { ApiError } from './api-error.ts'
import type { Endpoint } from './call.ts'
import { mergeConfig, type ProviderConfig } from './config.ts'
import { asObject, asText, type JsonObject } from './json.ts'
import type { Family } from './models.ts'
import type { ReplyScript } from './script.ts'

const MAX_BODY_BYTES = 64 * 1024 * 1024

/** What the headers `x-stand-in-*` ask for; apps set them as default headers of their client. */
export type Wishes = {
  readonly label: string | null
  readonly fault: string | null
  readonly reply: ReplyScript | null
  readonly config: ProviderConfig
  /** 0 for the first attempt. */
  readonly attempt: number
}

export function readWishes(request: IncomingMessage, config: ProviderConfig): Wishes {
  const header = (name: string) => asText(request.headers[name])
  const own = header('x-stand-in-config')
  const reply = header('x-stand-in-reply')
  return {
    label: header('x-stand-in-label'),
    fault: header('x-stand-in-fault'),
    reply: reply === null ? null : (parseJson(reply) as ReplyScript),
    config: own === null ? config : mergeConfig(config, parseJson(own)),
    attempt: Number(header('x-stainless-retry-count') ?? 0),
  }
}

/** @throws {ApiError} 413 or 400 */
export async function readBody(request: IncomingMessage): Promise<JsonObject> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    length += chunk.length
    if (length > MAX_BODY_BYTES) throw new ApiError(413, 'Request exceeds the maximum size')
  }
  return parseJson(Buffer.concat(chunks).toString())
}

function parseJson(text: string): JsonObject {
  let value: unknown = null
  try {
    value = JSON.parse(text)
  } catch {
    // The same answer as for JSON that is no object.
  }
  const object = asObject(value)
  if (object) return object
  throw new ApiError(400, 'We could not parse the JSON body of your request.')
}

/** @throws {ApiError} 401: both providers want a key, and take any here */
export function checkKey(request: IncomingMessage, family: Family): void {
  const bearer = /^Bearer .+/.test(request.headers.authorization ?? '')
  const key = family === 'anthropic' && asText(request.headers['x-api-key'])
  if (!bearer && !key) throw new ApiError(401, 'You did not provide an API key.')
}

export const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  '/v1/chat/completions': 'openai.chat',
  '/v1/responses': 'openai.responses',
  '/v1/embeddings': 'openai.embeddings',
  '/v1/messages': 'anthropic.messages',
}

export function familyOf(endpoint: Endpoint): Family {
  return endpoint === 'anthropic.messages' ? 'anthropic' : 'openai'
}
