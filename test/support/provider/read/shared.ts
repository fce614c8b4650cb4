import { ApiError } from '../api-error.ts'
import type { ProviderConfig } from '../config.ts'
import { asWhole, type JsonObject } from '../json.ts'
import type { Family, Model } from '../models.ts'
import type { Tokenizer } from '../tokenizer.ts'

/** What every reader needs beside the body. */
export type ReadContext = { readonly tokenizer: Tokenizer; readonly config: ProviderConfig }

export function findModel(models: readonly Model[], name: string, family: Family): Model {
  const known = models.findLast(
    (model) => model.family === family && (model.id === name || model.aliases.includes(name)),
  )
  if (known) return known
  throw new ApiError(404, `The model \`${name}\` does not exist or you do not have access to it.`, {
    code: 'model_not_found',
    parameter: 'model',
  })
}

/** An output limit, refused as the providers refuse it: below `least` or above what the model can write. */
export function outputLimit(
  body: JsonObject,
  parameter: string,
  model: Model,
  least: number,
): number | null {
  const given = body[parameter]
  if (given === undefined || given === null) return null
  const limit = asWhole(given)
  if (limit === null || limit < least) {
    throw new ApiError(400, `Invalid '${parameter}': expected a whole number >= ${least}.`, {
      code: 'integer_below_min_value',
      parameter,
    })
  }
  if (limit > model.maxOutputTokens) {
    throw new ApiError(
      400,
      `${parameter} is too large: ${limit}. This model supports at most ${model.maxOutputTokens} completion tokens.`,
      { code: 'invalid_value', parameter },
    )
  }
  return limit
}

export function missing(parameter: string): ApiError {
  return new ApiError(400, `Missing required parameter: '${parameter}'.`, {
    code: 'missing_required_parameter',
    parameter,
  })
}

const EFFORTS: Readonly<Record<string, number>> = {
  none: 0,
  minimal: 0.2,
  low: 0.5,
  medium: 1,
  high: 2.5,
  xhigh: 4,
  max: 5,
}

export function effortFactor(effort: unknown): number {
  return (typeof effort === 'string' ? EFFORTS[effort] : undefined) ?? 1
}

/** The tier that answers: one the model has no prices for falls back to the default. */
export function grantedTier(model: Model, asked: unknown): string | null {
  return typeof asked === 'string' && model.tiers[asked] ? asked : null
}
