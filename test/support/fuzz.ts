/** Milliseconds that a fuzz test may take: 1 s, or `FUZZ_SECONDS` for a longer search. */
export const FUZZ_MS = Number(process.env['FUZZ_SECONDS'] ?? 1) * 1000
