import type { PriceCatalogue } from '@tokenfuse/protocol'

export type MeterOptions = {
  readonly catalogue: PriceCatalogue
  /** Names the price overrides that `catalogue` was made with, such as `policy.42`; `null` where it has none. */
  readonly overridesVersion: string | null
  /** Of spans that name no tenant. */
  readonly defaultTenant: string
  /** When the spans were received, ms since 1970; only to tell times that cannot be. */
  readonly nowMs: number
  /** Where they came from, for dead letters: `http:/v1/traces`, `kafka:otlp_spans/3@1234`. */
  readonly source: string
}
