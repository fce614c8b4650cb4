import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { mergeConfig } from './config.ts'
import { asArray, asText } from './json.ts'
import { readBody } from './request.ts'
import type { ReplyScript } from './script.ts'
import type { StandIn } from './stand-in.ts'

/**
 * What tests ask the stand-in itself:
 * `GET /_ledger` (JSON Lines), `/_ledger/summary`, `/_inflight`; `POST /_script` `{label?, replies}`, `/_config`
 * (a part of the config), `/_reset`.
 */
export async function serveAdmin(
  standIn: StandIn,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  switch (`${request.method} ${request.url}`) {
    case 'GET /_ledger':
      response.writeHead(200, { 'content-type': 'application/jsonl' })
      return pipeline(Readable.from(standIn.ledger.lines()), response)
    case 'GET /_ledger/summary':
      return json(response, { ...standIn.ledger.summary(), tokenizer: standIn.tokenizer.stats() })
    case 'GET /_inflight':
      return json(response, standIn.ledger.inFlight())
    case 'POST /_script': {
      const body = await readBody(request)
      standIn.queue.add(asText(body['label']), asArray(body['replies']) as ReplyScript[])
      return json(response, {})
    }
    case 'POST /_config':
      standIn.config = mergeConfig(standIn.config, await readBody(request))
      return json(response, standIn.config)
    case 'POST /_reset':
      standIn.reset()
      return json(response, {})
    default:
      response.writeHead(404).end()
  }
}

function json(response: ServerResponse, value: unknown): void {
  const body = JSON.stringify(value, (_key, field: unknown) =>
    typeof field === 'bigint' ? field.toString() : field,
  )
  response.writeHead(200, { 'content-type': 'application/json' }).end(body)
}
