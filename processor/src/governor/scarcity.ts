import { CRITICALITIES, type Criticality } from '@tokenfuse/protocol'
import { type Amount, minus, shareOf } from './amount.ts'
import type { Counter } from './counter.ts'

/** How much a call matters, `critical` first: its place among `CRITICALITIES`. */
export type Rank = number

/** One part in so many of a limit is kept from calls of each rank, once calls that matter more were seen. */
const KEPT_PARTS: readonly (number | null)[] = [null, 10, 5]

export function rankOf(criticality: Criticality): Rank {
  return CRITICALITIES.indexOf(criticality)
}

/** Of a limit, what is kept from calls of a rank for those that matter more; nothing where there were none of those. */
export function keptFrom(counter: Counter, rank: Rank, limit: Amount): Amount {
  const parts = KEPT_PARTS[rank] ?? null
  return parts === null || limit < 0 || !counter.hasSeenAbove(rank) ? 0 : shareOf(limit, parts)
}

/** What may be spent in all before calls of a rank get no more, as guards are told; `null` where nothing is kept. */
export function ceilingsOf(counter: Counter): { normal: string; bestEffort: string } | null {
  const until = (criticality: Criticality) =>
    String(minus(counter.limit, keptFrom(counter, rankOf(criticality), counter.limit)))
  const [normal, bestEffort] = [until('normal'), until('best_effort')]
  return bestEffort === String(counter.limit) ? null : { normal, bestEffort }
}
