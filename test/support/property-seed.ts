import { readFileSync } from 'node:fs'

// Loaded before each test file where `FUZZ_SEED` is set, so that properties try the same examples each time.

const [, file = ''] = process.argv
// Most test files hold no properties, and would only pay for loading the library. A group of files has some.
if (file.endsWith('.mjs') || readFileSync(file, 'utf8').includes("from 'fast-check'")) {
  const { default: fc } = await import('fast-check')
  fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(process.env['FUZZ_SEED']) })
}
