import { readCsv } from './csv.ts'

/** A step of a recorded run: one model call and the tool call that it led to. */
export type Step = {
  readonly call: string
  readonly result: string
  /** Tokens of the model call, whole: one number for each of `TOKEN_SCALES`. */
  readonly tokens: Readonly<Record<TokenScale, number>>
}

/** A recorded run, oldest first in its file. */
export type RecordedRun = {
  readonly run: string
  readonly source: string
  readonly model: string
  readonly resolved: boolean
  /** It was cut off at its cost limit. */
  readonly capped: boolean
  readonly tokensFinal: number
  readonly steps: readonly Step[]
}

/**
 * What a step's tokens are reckoned from. `scaled`: the context so far in characters, times what makes the run's sum what
 * the provider counted; a factor that only the end tells, but one that stands for tokens a character, which a provider
 * tells with each answer. `chars`: a quarter of the characters, all of it known at the time.
 */
export const TOKEN_SCALES = ['scaled', 'chars'] as const
export type TokenScale = (typeof TOKEN_SCALES)[number]

const RUN_COLUMNS = ['run_id', 'source', 'model', 'resolved', 'exit_status', 'tokens_sent'] as const
const STEP_COLUMNS = ['run_id', 'step', 'action_hash', 'obs_hash', 'hist_chars_before'] as const
const CHARS_PER_TOKEN = 4

/** Reads recorded runs, in the order of the file. @throws {Error} where a file cannot be used */
export function readRuns(runsPath: string, stepsPath: string): RecordedRun[] {
  const stepsOf = readSteps(stepsPath)
  return readCsv(runsPath, RUN_COLUMNS).map((row) => {
    const id = row('run_id')
    const rows = stepsOf.get(id) ?? []
    const sent = number(row('tokens_sent'), 'tokens_sent', id)
    const chars = rows.reduce((sum, step) => sum + step.chars, 0)
    const factor = chars > 0 ? sent / chars : 0
    const scaled = wholeSteps(rows.map((step) => step.chars * factor))
    const quarter = wholeSteps(rows.map((step) => step.chars / CHARS_PER_TOKEN))
    const steps = rows.map(({ call, result }, at) => ({
      call,
      result,
      tokens: { scaled: scaled[at] ?? 0, chars: quarter[at] ?? 0 },
    }))
    return {
      run: id,
      source: row('source'),
      model: row('model'),
      resolved: Number(row('resolved')) === 1 || row('resolved').toLowerCase() === 'true',
      capped: row('exit_status').includes('exit_cost'),
      tokensFinal: sent,
      steps,
    }
  })
}

/** Whole amounts whose sums are those of the given ones, rounded. */
function wholeSteps(amounts: readonly number[]): number[] {
  let sum = 0
  let told = 0
  return amounts.map((amount) => {
    sum += amount
    const whole = Math.round(sum) - told
    told += whole
    return whole
  })
}

/** Tokens up to and with a step, counted from 1; what the provider counted at the end. */
export function tokensThrough({ steps }: RecordedRun, step: number): number {
  let tokens = 0
  for (const each of steps.slice(0, step)) tokens += each.tokens.scaled
  return tokens
}

type RecordedStep = { step: number; call: string; result: string; chars: number }

function readSteps(path: string): Map<string, RecordedStep[]> {
  const steps = new Map<string, RecordedStep[]>()
  for (const row of readCsv(path, STEP_COLUMNS)) {
    const id = row('run_id')
    const own = steps.get(id) ?? []
    own.push({
      step: number(row('step'), 'step', id),
      call: row('action_hash'),
      result: row('obs_hash'),
      chars: number(row('hist_chars_before'), 'hist_chars_before', id),
    })
    steps.set(id, own)
  }
  for (const own of steps.values()) own.sort((a, b) => a.step - b.step)
  return steps
}

function number(text: string, column: string, run: string): number {
  const value = Number(text)
  if (text === '' || !Number.isFinite(value) || value < 0) {
    throw new Error(`${column} of run ${run} is "${text}", which is no number`)
  }
  return value
}
