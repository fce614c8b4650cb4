import { setTimeout as wait } from 'node:timers/promises'

const POLL_MS = 50

/** Waits until something of another process holds, which has no event to wait for. */
export async function until(
  holds: () => Promise<boolean>,
  what: string,
  withinMs = 30_000,
): Promise<void> {
  const giveUpMs = Date.now() + withinMs
  while (!(await holds())) {
    if (Date.now() > giveUpMs) throw new Error(`not within ${withinMs / 1000} s: ${what}`)
    await wait(POLL_MS)
  }
}
