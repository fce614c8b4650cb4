// Loaded before anything else, so that this process has a wall clock of its own: `CLOCK_SHIFT_MS` ahead of the true
// one, and further with each `moveClock` or SIGUSR2: `CLOCK_STEP_MS` at first, then ten times as far as the time
// before. The monotonic clock stays as it is.

const truth = Date.now.bind(Date)
let aheadMs = Number(process.env['CLOCK_SHIFT_MS'] ?? 0)
let stepMs = Number(process.env['CLOCK_STEP_MS'] ?? 0)

Date.now = () => truth() + aheadMs
globalThis.Date = new Proxy(Date, {
  construct: (target, args: [], newTarget) =>
    Reflect.construct(target, args.length === 0 ? [Date.now()] : args, newTarget) as object,
})
process.on('SIGUSR2', () => {
  moveClock(stepMs)
  stepMs *= 10
})

export function moveClock(byMs: number): void {
  aheadMs += byMs
}
Object.defineProperty(globalThis, Symbol.for('tokenfuse.test.moveClock'), { value: moveClock })
