import { verifyOvershoot } from '../verify/overshoot/run.ts'
import type { Keeper } from '../verify/overshoot/variants.ts'
import { atMost, type Bench } from './result.ts'

/** How far a hard budget is exceeded, as the stand-in billed it: the load of `npm run verify -- overshoot`. */
export const overshootHard: Bench = {
  names: ['overshoot.hard'],
  async run() {
    const { rows } = await verifyOvershoot({
      seed: 1,
      tell: (line) => process.stderr.write(`${line}\n`),
    })
    const percentOver = (keeper: Keeper) =>
      Math.max(
        ...rows
          .filter(({ variant }) => variant.keeper === keeper)
          .map(({ figures }) => (figures.billedRatio - 1) * 100),
      )
    const value = Math.max(0, percentOver('tokenfuse'))
    const baseline = {
      name: 'check then increment',
      value: percentOver('check then increment'),
    }
    const count = rows.reduce((sum, { figures }) => sum + figures.answered, 0)
    return [atMost(1, { name: 'overshoot.hard', unit: '% over', value, count, baseline })]
  },
}
