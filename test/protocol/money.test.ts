import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  formatUsd,
  PICO_USD_PER_USD,
  picoUsdFromUsd,
  picoUsdPerUnit,
  usdFromPicoUsd,
} from '@tokenfuse/protocol'
import fc from 'fast-check'

const amounts = fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n })

test('USD are read exactly, as text or as number', () => {
  const rows: [usd: string | number, picoUsd: bigint][] = [
    ['0', 0n],
    ['2.50', 2_500_000_000_000n],
    [2.5, 2_500_000_000_000n],
    ['0.0375', 37_500_000_000n],
    [' 1 ', PICO_USD_PER_USD],
    ['-0.000000000001', -1n],
    ['0.0000000000010', 1n],
    [1e-7, 100_000n],
    [1.5e-7, 150_000n],
    // 0.1 + 0.2 as a float is 0.30000000000000004; its parts stay exact.
    [0.1, 100_000_000_000n],
    [0.2, 200_000_000_000n],
    ['9007199254740993.000000000001', 9007199254740993_000000000001n],
  ]
  for (const [usd, picoUsd] of rows) assert.equal(picoUsdFromUsd(usd), picoUsd, String(usd))
})

test('what is no plain decimal, or finer than a pico-USD, is refused with a code', () => {
  const texts = ['', 'abc', '1,5', '$5', '1e3', '1.', '.5', '--1', '0.0000000000001', '١', 'NaN']
  for (const text of texts) {
    assert.throws(() => picoUsdFromUsd(text), { code: 'money_invalid' }, text)
  }
  for (const number of [Number.NaN, Number.POSITIVE_INFINITY, 1e21, 1e-13]) {
    assert.throws(() => picoUsdFromUsd(number), { code: 'money_invalid' }, String(number))
  }
})

test('an amount written as USD reads back as itself', () => {
  fc.assert(
    fc.property(amounts, (amount) => {
      assert.equal(picoUsdFromUsd(usdFromPicoUsd(amount)), amount)
    }),
  )
})

test('a price a unit is exact where it is whole and never rounded down', () => {
  assert.equal(picoUsdPerUnit('2.50', 1_000_000n), 2_500_000n)
  assert.equal(picoUsdPerUnit(0.08333333333333334, 1_000_000n), 83_334n)
  assert.equal(picoUsdPerUnit('0.0000000001', 1_000_000n), 1n)
  assert.equal(picoUsdPerUnit('0', 1_000_000n), 0n)
  fc.assert(
    fc.property(fc.bigInt(0n, 10n ** 20n), fc.bigInt(1n, 10n ** 9n), (amount, units) => {
      const each = picoUsdPerUnit(usdFromPicoUsd(amount), units)
      assert.ok(each * units >= amount, 'all units together cost at least the whole')
      assert.ok(each * units < amount + units, 'and less than one pico-USD a unit more')
    }),
  )
})

test('people read cents, or four digits below ten cents, and never a cost as zero', () => {
  const rows: [usd: string, text: string][] = [
    ['0', '$0.00'],
    ['4.82', '$4.82'],
    ['4.825', '$4.83'],
    ['1234567.891', '$1,234,567.89'],
    ['0.1', '$0.10'],
    ['0.0031', '$0.0031'],
    ['0.00005', '$0.0001'],
    ['0.00004', '<$0.0001'],
    ['0.000000000001', '<$0.0001'],
    ['-4.82', '-$4.82'],
  ]
  for (const [usd, text] of rows) assert.equal(formatUsd(picoUsdFromUsd(usd)), text)
})
