import type { Dialect, Reply } from '../reply.ts'

const MAX_CACHED_VECTORS = 16
const vectors = new Map<string, number[] | string>()

export const openaiEmbeddings: Dialect = {
  whole(reply) {
    const { texts } = reply.call.embedding ?? { texts: 0 }
    const embedding = vector(reply)
    return JSON.stringify({
      object: 'list',
      data: Array.from({ length: texts }, (_, index) => ({
        object: 'embedding',
        index,
        embedding,
      })),
      model: reply.call.model.id,
      usage: { prompt_tokens: reply.tokens.input, total_tokens: reply.tokens.input },
    })
  },
  *stream() {},
  streamError: () => '',
}

/** A unit vector; what it means is nobody's concern here. */
function vector(reply: Reply): number[] | string {
  const { dimensions, base64 } = reply.call.embedding ?? { dimensions: 1, base64: false }
  const key = `${dimensions} ${base64}`
  const known = vectors.get(key)
  if (known) return known
  const values = new Float32Array(dimensions).fill(1 / Math.sqrt(dimensions))
  const made = base64 ? Buffer.from(values.buffer).toString('base64') : Array.from(values)
  if (vectors.size >= MAX_CACHED_VECTORS) vectors.clear()
  vectors.set(key, made)
  return made
}
