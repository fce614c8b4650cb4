const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const

export const MAX_ROLLING_MS = 400 * UNIT_MS.d

/** How long a window is that ends now, such as `rolling 24h`; `null` where the text names none. */
export function rollingMs(window: string): number | null {
  const [, count, unit] = /^rolling ([1-9]\d{0,5})([mhd])$/.exec(window) ?? []
  return count === undefined ? null : Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS]
}
