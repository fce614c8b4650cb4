import { styleFor, type Style } from '../../../cli/src/output/style.ts'
import type { Moment } from '../watch.ts'
import { agentLine, columnTitles, momentTable } from './moment-table.ts'

/** Shows the job while it runs. */
export interface View {
  show(moment: Moment): void
  /** Shows the last moment for good. */
  finish(moment: Moment): void
  /** Leaves the terminal as it was found. */
  close(): void
}

const TITLE = 'four agents, one of them stuck in a loop'
const MIN_COLUMNS = 76
const MIN_ROWS = 12
const HIDE_CURSOR = '\u001b[?25l'
const SHOW_CURSOR = '\u001b[?25h'
const CLEAR_BELOW = '\u001b[J'

/** What of a terminal or a pipe is needed. */
export type Screen = NodeJS.WritableStream & {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

/** @param onlyLast shows nothing but the last moment */
export function createView(screen: Screen, { onlyLast }: { readonly onlyLast: boolean }): View {
  const { isTTY = false, columns = 0, rows = 0 } = screen
  if (onlyLast) return lastView(screen)
  return isTTY && columns >= MIN_COLUMNS && rows >= MIN_ROWS ? liveView(screen) : listView(screen)
}

/** A table that is drawn over itself. */
function liveView(screen: Screen): View {
  let height = 0
  const draw = (moment: Moment) => {
    const text = picture(moment, styleFor(screen))
    const up = height === 0 ? HIDE_CURSOR : `\u001b[${height}A\r${CLEAR_BELOW}`
    screen.write(up + text)
    height = text.split('\n').length - 1
  }
  return { show: draw, finish: draw, close: () => void screen.write(SHOW_CURSOR) }
}

/** A line for each agent whose figures have changed, where nothing can be drawn over. */
function listView(screen: Screen): View {
  const style = styleFor(screen)
  const shown = new Map<string, string>()
  const list = ({ agents }: Moment) => {
    if (shown.size === 0) screen.write(`${title(style)}\n\n${columnTitles(style)}\n`)
    for (const agent of agents) {
      const line = agentLine(agent, style)
      if (shown.get(agent.name) === line) continue
      shown.set(agent.name, line)
      screen.write(`${line}\n`)
    }
  }
  const finish = (moment: Moment) => {
    screen.write(`\n${momentTable(moment, style)}\n`)
  }
  return { show: list, finish, close: () => {} }
}

function lastView(screen: Screen): View {
  const finish = (moment: Moment) => {
    screen.write(picture(moment, styleFor(screen)))
  }
  return { show: () => {}, finish, close: () => {} }
}

function picture(moment: Moment, style: Style): string {
  return `${title(style)}\n\n${momentTable(moment, style)}\n`
}

const title = (style: Style) => `${style('bold', 'tokenfuse')}  ${TITLE}`
