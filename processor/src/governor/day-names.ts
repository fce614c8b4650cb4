import type { Zone } from '@tokenfuse/protocol'
import { dayName, type Window, windowAt } from './windows.ts'

/** Which days times fall on in a zone. Nearly all that are asked for one after another are of the same day. */
export class DayNames {
  readonly #zone: Zone
  #day: Window = { fromMs: 0, untilMs: 0 }
  #name = ''

  constructor(zone: Zone) {
    this.#zone = zone
  }

  /** The day, such as `2026-01-31`, that a time falls on. */
  at(timeMs: number): string {
    const { fromMs, untilMs } = this.#day
    if (timeMs < fromMs || untilMs === null || timeMs >= untilMs) {
      this.#day = windowAt('day', timeMs, this.#zone)
      this.#name = dayName(timeMs, this.#zone)
    }
    return this.#name
  }
}
