import { formatUsd, type TokenCounts } from '@tokenfuse/protocol/names'
import type { Style } from '../output/style.ts'
import { formatCount, plural, showName } from '../output/text.ts'
import type { InspectedFile } from './inspected.ts'

const SOURCES: Readonly<Record<string, string>> = {
  provider: 'as the provider reported',
  partial: 'at least, since the response broke off before its final usage',
}

const PRICES: Readonly<Record<string, string>> = {
  exact: '',
  fallback: ', priced as its model family',
  ceiling: ', at the ceiling price: the model is not listed',
}

/** The same for people, in a few lines. */
export function inspectedLines(file: InspectedFile, style: Style): string[] {
  const { provider, label, reason, responseModel, responses, tokens, problems } = file
  if (!file.recognised) {
    return [
      `${style('yellow', 'Not metered:')} ${label} (${showName(provider)}). ${reason ?? ''}`.trimEnd(),
    ]
  }
  const model = responseModel === null ? 'model unknown' : showName(responseModel, 48)
  const count = responses === undefined ? '' : ` \u00b7 ${plural(responses.length, 'response')}`
  const lines = [`${style('bold', label)} \u00b7 ${model}${count}`]
  if (reason !== null) lines.push(`  ${reason}`)
  if (file.costPicoUsd === null || tokens === null) lines.push('  It tells no usage.')
  else lines.push(...tokenLines(tokens, style), costLine(file, style))
  if (problems.length > 0) lines.push(style('yellow', `  problems  ${problems.join(', ')}`))
  return lines
}

function tokenLines(tokens: TokenCounts, style: Style): string[] {
  const part = (count: number | null, name: string) =>
    count ? [`${formatCount(count)} ${name}`] : []
  const inputParts = [
    ...part(tokens.cacheRead, 'read from cache'),
    ...part((tokens.cacheWrite ?? 0) + (tokens.cacheWrite1h ?? 0), 'written to cache'),
  ]
  const row = (name: string, count: number | null, parts: readonly string[]) => {
    const value = count === null ? 'unknown' : formatCount(count)
    const detail = parts.length === 0 ? '' : `  ${parts.join(', ')}`
    return `  ${style('dim', name.padEnd(8))}${value.padStart(12)}${style('dim', detail)}`
  }
  return [
    row('input', tokens.input, inputParts),
    row('output', tokens.output, part(tokens.reasoning, 'of reasoning')),
  ]
}

function costLine({ costPicoUsd, priced, source }: InspectedFile, style: Style): string {
  const cost = formatUsd(BigInt(costPicoUsd ?? 0)).padStart(12)
  const how = `  ${SOURCES[source ?? ''] ?? ''}${PRICES[priced ?? ''] ?? ''}`
  return `  ${style('dim', 'cost'.padEnd(8))}${cost}${style('dim', how)}`
}
