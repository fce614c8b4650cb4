import type { Command } from 'commander'
import { printJson, printLines } from '../output/print.ts'
import { scopeText } from '../output/scope.ts'
import { showName } from '../output/text.ts'
import { connect } from '../processor/client.ts'
import type { ProcessorOptions } from '../processor/find.ts'
import { userName } from '../user-name.ts'
import { withJsonOption, withProcessorOptions } from './options.ts'

type LiftOptions = ProcessorOptions & {
  readonly reason: string
  readonly by?: string
  readonly json?: boolean
}

export function addLift(program: Command): void {
  const command = program
    .command('lift')
    .description('let go of what a detection or a rule has stopped')
    .argument('<decision>', 'its id, as the refusal or "status" tells it')
    .requiredOption('--reason <text>', 'why; it is kept')
    .option('--by <name>', 'who does it (default: the user of this shell)')
  withJsonOption(withProcessorOptions(command))
    .addHelpText(
      'after',
      `
It is not stopped again by the same for as long as that lasts. What a budget has
stopped goes on with a higher limit: see "tokenfuse override".

Examples:
  $ tokenfuse lift d412-0 --reason "the long job of this month"`,
    )
    .action(lift)
}

async function lift(
  id: string,
  { reason, by = userName(), json, ...where }: LiftOptions,
): Promise<void> {
  const answer = await connect(where).lift(id, { reason, by })
  if (json) printJson(answer)
  else {
    const { action, scope, rule, decision } = answer
    printLines([
      `${action} of ${showName(scopeText(scope), 60)} by ${rule} is lifted [${decision}]`,
    ])
  }
}
