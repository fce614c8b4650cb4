type Json = Readonly<Record<string, unknown>>

/**
 * The part of a conversation that no earlier request carried: the model's last turn and what answers it. A request
 * repeats the whole conversation, and a tool call must be told of once. Where the conversation has no turn of the model
 * (it is kept by the provider) everything is new.
 */
export function lastTurn(body: Json): Json {
  const field = Array.isArray(body['messages']) ? 'messages' : 'input'
  const items = body[field]
  if (!Array.isArray(items)) return {}
  let at = items.length - 1
  while (at >= 0 && !isFromModel(items[at])) at--
  while (at > 0 && isFromModel(items[at - 1])) at--
  return { [field]: items.slice(Math.max(0, at)) }
}

/** A message of the assistant, or an item of the responses dialect that the model produced. */
function isFromModel(item: unknown): boolean {
  if (typeof item !== 'object' || item === null) return false
  const { role, type } = item as Json
  if (role === 'assistant') return true
  return typeof type === 'string' && (type === 'reasoning' || type.endsWith('_call'))
}
