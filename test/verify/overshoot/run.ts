import { type Row, runVariant } from './run-variant.ts'
import { VARIANTS } from './variants.ts'

export type OvershootReport = {
  readonly rows: readonly Row[]
  readonly isKept: boolean
  readonly seconds: number
}

/**
 * The same load against each keeper of the budget. A killed agent's credit takes half a minute to be given up, in
 * which there is nothing to do, so the others go on meanwhile.
 */
export async function verifyOvershoot(options: {
  readonly seed: number
  readonly tell: (line: string) => void
}): Promise<OvershootReport> {
  const startedMs = performance.now()
  const slow = VARIANTS.filter(({ kill }) => kill === 'agent')
  const quick = VARIANTS.filter(({ kill }) => kill !== 'agent')
  const measured = async (variants: typeof VARIANTS): Promise<Row[]> => {
    const rows: Row[] = []
    for (const variant of variants) {
      const row = await runVariant(variant, options.seed)
      options.tell(`${variant.name}: ${row.seconds.toFixed(1)} s`)
      rows.push(row)
    }
    return rows
  }
  const rows = (await Promise.all([measured(quick), measured(slow)])).flat()
  return {
    rows,
    isKept: rows.every(({ problems, broken }) => problems.length + broken.length === 0),
    seconds: (performance.now() - startedMs) / 1000,
  }
}

/** For machines: amounts are decimal strings. */
export function overshootJson({ rows, isKept, seconds }: OvershootReport): string {
  return JSON.stringify({ isKept, seconds, rows }, (_key, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  )
}
