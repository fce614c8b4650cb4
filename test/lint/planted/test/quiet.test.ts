import { describe, it, test } from 'node:test'

test('node:test calls need no await', () => {})

describe('neither do', () => {
  it('these', () => {})
})

async function work(): Promise<void> {
  await Promise.resolve()
}

work() // typescript(no-floating-promises)
