/** Milliseconds that a fuzz test may take: half a second, or `FUZZ_SECONDS` for a longer search. */
export const FUZZ_MS = Number(process.env['FUZZ_SECONDS'] ?? 0.5) * 1000
