/** Builds protobuf byte by byte, also such as no encoder writes. */

export function varint(value: number | bigint, length = 0): number[] {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  do {
    bytes.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  } while (rest > 0n || bytes.length < length)
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) & 0x7f
  return bytes
}

export function bytesField(field: number, content: readonly number[] | string): number[] {
  const bytes = typeof content === 'string' ? [...Buffer.from(content)] : content
  return [...varint(field * 8 + 2), ...varint(bytes.length), ...bytes]
}

export const varintField = (field: number, value: number | bigint) => [
  ...varint(field * 8),
  ...varint(value),
]

export const fixed64Field = (field: number, value: bigint) => [
  ...varint(field * 8 + 1),
  ...Buffer.from(new BigUint64Array([value]).buffer),
]

export const fixed32Field = (field: number) => [...varint(field * 8 + 5), 1, 2, 3, 4]

/** An attribute with a value message of these bytes. */
export const attribute = (key: string, value: readonly number[], field = 9) =>
  bytesField(field, [...bytesField(1, key), ...bytesField(2, value)])

/** A request with one span of these fields, with a model so that it is kept. */
export const requestOf = (...fields: readonly number[][]) => wrap(withModel(fields.flat()))

const withModel = (span: readonly number[]) => [
  ...span,
  ...attribute('gen_ai.request.model', bytesField(1, 'm')),
]

export const wrap = (span: readonly number[]) =>
  Uint8Array.from(bytesField(1, bytesField(2, bytesField(2, span))))
