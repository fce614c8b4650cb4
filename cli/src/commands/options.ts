import { type Dimension, isDimension } from '@tokenfuse/protocol/names'
import { type Command, InvalidArgumentError } from 'commander'

/** Adds the options by which a command finds its processor. */
export function withProcessorOptions(command: Command): Command {
  return command
    .option('--data <dir>', 'data folder of the processor (default: .tokenfuse)')
    .option('--url <url>', 'address of the processor')
    .option('--token <token>', 'its token; TOKENFUSE_TOKEN_FILE is safer than this')
}

export function withJsonOption(command: Command): Command {
  return command.option('--json', 'print JSON')
}

/** For an option that may be given more than once. */
export function collect(text: string, before: readonly string[] = []): string[] {
  return [...before, text]
}

/** Reads `agent,task`, and adds to what came before it. */
export function readDimensions(text: string, before: readonly Dimension[] = []): Dimension[] {
  const dimensions = [...before]
  for (const name of text.split(',').map((part) => part.trim())) {
    if (!isDimension(name)) {
      throw new InvalidArgumentError(
        'Use agent, task, taskType, step, user, session, model, provider, service, tenant or tag.<name>.',
      )
    }
    if (!dimensions.includes(name)) dimensions.push(name)
  }
  return dimensions
}

export function readPositive(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Use a whole number from 1 on.')
}

export function readPort(text: string): number {
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port
  throw new InvalidArgumentError('Use a number from 0 to 65535; 0 takes any free port.')
}

export function readPeriod(text: string): string {
  if (/^(today|all|\d{4}-\d{2}-\d{2})$/.test(text)) return text
  throw new InvalidArgumentError('Use today, all or a day such as 2026-01-31.')
}
