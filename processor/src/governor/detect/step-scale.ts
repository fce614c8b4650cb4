/** Steps that are looked at one by one; later ones share marks, four to an octave. */
const SINGLE_STEPS = 16
const MARKS_PER_OCTAVE = 4
const OCTAVES = 8

/** Steps, rising, at which a task is compared with others. A task that goes on beyond the last stays at it. */
export const STEP_MARKS: readonly number[] = (() => {
  const marks: number[] = []
  for (let step = 1; step <= SINGLE_STEPS; step++) marks.push(step)
  for (let octave = SINGLE_STEPS, at = 0; at < OCTAVES; octave *= 2, at++) {
    for (let part = 1; part <= MARKS_PER_OCTAVE; part++) {
      marks.push(octave + (octave / MARKS_PER_OCTAVE) * part)
    }
  }
  return marks
})()

/** The place of the first mark at or after a step. @param step from 1 */
export function markOf(step: number): number {
  if (step <= SINGLE_STEPS) return Math.max(0, step - 1)
  let low = SINGLE_STEPS
  let high = STEP_MARKS.length - 1
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if ((STEP_MARKS[middle] ?? 0) < step) low = middle + 1
    else high = middle
  }
  return low
}

/** How far a step lies on the way from the mark before `markOf(step)` to it: 1 at the mark itself. */
export function wayToMark(step: number, mark: number): number {
  const at = STEP_MARKS[mark] ?? 1
  const before = mark === 0 ? 0 : (STEP_MARKS[mark - 1] ?? 0)
  return Math.min(1, Math.max(0, (step - before) / (at - before)))
}
