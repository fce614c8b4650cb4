export default 1 // import(no-default-export)

export type Loose = any // typescript(no-explicit-any)

export function loose(value: string | null): boolean {
  return value == null // eslint(eqeqeq)
}

async function work(): Promise<void> {
  await Promise.resolve()
}

export function forgetful(): void {
  work() // typescript(no-floating-promises)
}

export function partial(kind: 'a' | 'b'): number {
  switch (
    kind // typescript(switch-exhaustiveness-check)
  ) {
    case 'a':
      return 1
  }
  return 0
}

export function hidden(text: string): number {
  // @ts-ignore // typescript(ban-ts-comment)
  return text
}

export function hopeful(list: readonly string[]): string {
  return list[0]! // typescript(no-non-null-assertion)
}

export function thrower(): never {
  throw 'text' // typescript(only-throw-error)
}
