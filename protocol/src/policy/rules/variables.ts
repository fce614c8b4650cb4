/** What a rule is evaluated for: everything together, each agent, or each task of an agent. */
export const RULE_LEVELS = ['all', 'agent', 'task'] as const
export type RuleLevel = (typeof RULE_LEVELS)[number]

export const RULE_WINDOWS = ['hour', 'day', 'month', 'task'] as const
/** The time over which a variable counts; `task` is as long as the task lasts. */
export type RuleWindow = (typeof RULE_WINDOWS)[number]

export const RULE_UNITS = ['tokens', 'usd', 'calls'] as const
export type RuleUnit = (typeof RULE_UNITS)[number]

/** What a condition can ask. */
export type RuleVariable = RuleName | RuleFigure
export type RuleName = {
  readonly kind: 'name'
  readonly name: string
  readonly level: RuleLevel
  readonly help: string
}
export type RuleFigure = {
  /** What was used, the limit of a budget, or what the window comes to as it is forecast. */
  readonly kind: 'used' | 'limit' | 'projected'
  readonly name: string
  readonly level: RuleLevel
  readonly window: RuleWindow
  readonly unit: RuleUnit
  readonly help: string
}

const CALENDAR = { hour: 'hourly', day: 'daily', month: 'monthly' } as const
type Calendar = keyof typeof CALENDAR
const WINDOWS = Object.keys(CALENDAR) as Calendar[]

const UNIT_HELP = {
  tokens: 'tokens, input and output together,',
  usd: 'USD',
  calls: 'calls',
} as const satisfies Record<RuleUnit, string>

/** Limits are of tokens where they do not say another unit. */
const limitName = (stem: string, unit: RuleUnit) =>
  unit === 'tokens' ? `${stem}_limit` : `${stem}_${unit}_limit`

function calendarFigures(level: 'all' | 'agent', window: Calendar): RuleFigure[] {
  const stem = level === 'all' ? CALENDAR[window] : `agent_${CALENDAR[window]}`
  const whose = level === 'all' ? 'everything' : 'the agent'
  const used = RULE_UNITS.map((unit): RuleFigure => ({
    kind: 'used',
    name: `${stem}_${unit}`,
    level,
    window,
    unit,
    help: `${UNIT_HELP[unit]} used by ${whose} in this ${window}`,
  }))
  const limits = RULE_UNITS.map((unit): RuleFigure => ({
    kind: 'limit',
    name: limitName(stem, unit),
    level,
    window,
    unit,
    help: `limit in ${unit} of a budget by the ${window} over ${whose}`,
  }))
  return [...used, ...limits]
}

function projections(): RuleFigure[] {
  return (['day', 'month'] as const).flatMap((window) =>
    (['tokens', 'usd'] as const).map((unit): RuleFigure => ({
      kind: 'projected',
      name: `projected_${CALENDAR[window]}_${unit}`,
      level: 'all',
      window,
      unit,
      help: `${unit} that the budget behind ${limitName(CALENDAR[window], unit)} comes to by the end of this ${window}, as forecast`,
    })),
  )
}

function taskFigures(): RuleFigure[] {
  const level = 'task'
  const window = 'task'
  const used = RULE_UNITS.map((unit): RuleFigure => ({
    kind: 'used',
    name: `agent_${unit}_per_task`,
    level,
    window,
    unit,
    help: `${UNIT_HELP[unit]} used by the agent for the task`,
  }))
  const limits = RULE_UNITS.map((unit): RuleFigure => ({
    kind: 'limit',
    name: limitName('task', unit),
    level,
    window,
    unit,
    help: `limit in ${unit} of a budget for each task`,
  }))
  return [...used, ...limits]
}

/** Every variable of conditions, by name. */
export const RULE_VARIABLES: ReadonlyMap<string, RuleVariable> = new Map(
  [
    ...WINDOWS.flatMap((window) => calendarFigures('all', window)),
    ...projections(),
    { kind: 'name', name: 'agent', level: 'agent', help: 'name of the agent' } as const,
    ...WINDOWS.flatMap((window) => calendarFigures('agent', window)),
    { kind: 'name', name: 'task', level: 'task', help: 'name of the task' } as const,
    ...taskFigures(),
  ].map((variable): [string, RuleVariable] => [variable.name, variable]),
)
