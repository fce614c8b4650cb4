import { ApiError } from '../api-error.ts'
import type { Call } from '../call.ts'
import { asArray, asText, asWhole, type JsonObject } from '../json.ts'
import { PromptBuilder } from './prompt-builder.ts'
import { findModel, missing, type ReadContext } from './shared.ts'

const DIMENSIONS = 1536

/** @throws {ApiError} */
export function readEmbeddings(body: JsonObject, modelName: string, context: ReadContext): Call {
  const model = findModel(context.config.models, modelName, 'openai')
  if (!model.embeddings)
    throw new ApiError(403, `You are not allowed to generate embeddings from ${model.id}`)
  const input = body['input']
  const texts = typeof input === 'string' ? [input] : asArray(input)
  if (texts.length === 0) throw missing('input')
  const prompt = new PromptBuilder(context.tokenizer)
  for (const text of texts) {
    if (typeof text === 'string') prompt.text(text)
    // Token ids in place of text.
    else prompt.fixed(Math.max(1, asArray(text).length), JSON.stringify(text))
    prompt.close(0)
  }
  return {
    endpoint: 'openai.embeddings',
    model,
    stream: false,
    usageInStream: false,
    segments: prompt.segments,
    hiddenTokens: 0,
    maxOutputTokens: null,
    choices: 1,
    tools: [],
    toolUse: 'none',
    parallelTools: false,
    outputSchema: null,
    reasoningEffort: 0,
    reasoningBudget: null,
    serviceTier: null,
    user: asText(body['user']),
    webSearchUses: 0,
    advisor: null,
    compactAbove: null,
    embedding: {
      texts: texts.length,
      dimensions: asWhole(body['dimensions']) ?? DIMENSIONS,
      base64: body['encoding_format'] === 'base64',
    },
  }
}
