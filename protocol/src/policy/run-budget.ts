const PREFIX = 'run.'

/** Whether a budget is one of a single run: it holds only as long as the run, and is in no file. */
export function isRunBudget(id: string): boolean {
  return id.startsWith(PREFIX)
}

/** The id of a run's budget; a run may have several. */
export function runBudgetId(run: string, index: number): string {
  return `${PREFIX}${run}.${index}`
}
