import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { TokenfuseError } from '@tokenfuse/protocol'
import type { z } from 'zod'
import { parse } from './requests.ts'

const inflate = promisify(gunzip)

const MEGABYTE = 1024 ** 2
/** A credit report of 1000 accounts with the longest names is half as large. */
const MAX_JSON_BYTES = 4 * MEGABYTE

/**
 * Reads a request's body whole.
 * @throws TokenfuseError `otlp_too_large` as soon as it is known to be larger than `maxBytes`
 */
export function readBody(incoming: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const declared = Number(incoming.headers['content-length'] ?? 0)
    if (declared > maxBytes) {
      reject(tooLarge(maxBytes))
      return
    }
    const chunks: Buffer[] = []
    let size = 0
    const onData = (chunk: Buffer) => {
      size += chunk.length
      chunks.push(chunk)
      if (size > maxBytes) finish(() => reject(tooLarge(maxBytes)))
    }
    const onEnd = () => finish(() => resolve(Buffer.concat(chunks, size)))
    const onClose = () => finish(() => reject(cutOff()))
    // The stream is left to the server, which drains or closes it after the answer.
    const finish = (settle: () => void) => {
      incoming.pause()
      incoming.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onClose)
      settle()
    }
    incoming.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onClose)
  })
}

/**
 * Undoes gzip.
 * @throws TokenfuseError `otlp_too_large` where more than `maxBytes` comes out, `otlp_malformed` where it is no gzip
 */
export async function inflateBody(body: Buffer, maxBytes: number): Promise<Buffer> {
  try {
    return await inflate(body, { maxOutputLength: maxBytes })
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ERR_BUFFER_TOO_LARGE') {
      throw tooLarge(maxBytes)
    }
    throw new TokenfuseError('otlp_malformed', 'the payload is no valid gzip', { cause })
  }
}

/**
 * Reads a JSON body of up to 4 MB.
 * @throws TokenfuseError `bad_request` with every place where it does not fit the schema
 */
export async function readJson<Schema extends z.ZodType>(
  incoming: IncomingMessage,
  schema: Schema,
): Promise<z.output<Schema>> {
  const body = await readBody(incoming, MAX_JSON_BYTES)
  let value: unknown
  try {
    value = JSON.parse(body.toString('utf8'))
  } catch {
    throw new TokenfuseError('bad_request', 'the body is no JSON')
  }
  return parse(schema, value)
}

function tooLarge(maxBytes: number): TokenfuseError {
  return new TokenfuseError(
    'otlp_too_large',
    `the payload is larger than ${maxBytes / MEGABYTE} MB`,
    { fix: 'Send fewer spans in one request.' },
  )
}

const cutOff = () => new TokenfuseError('bad_request', 'the request ended before its body did')
