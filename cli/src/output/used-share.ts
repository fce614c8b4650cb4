import type { Style } from './style.ts'

/** How full a budget is, in the colour of how bad that is. */
export function usedShare(ratio: number, style: Style): string {
  const colour = ratio >= 1 ? 'red' : ratio >= 0.8 ? 'yellow' : 'green'
  return style(colour, `${Math.floor(ratio * 100)}%`)
}
