import type { Command } from 'commander'
import { explainLines } from '../explain/explain-lines.ts'
import { printJson, printLines } from '../output/print.ts'
import { styleFor } from '../output/style.ts'
import { connect } from '../processor/client.ts'
import type { ProcessorOptions } from '../processor/find.ts'
import { withJsonOption, withProcessorOptions } from './options.ts'

export function addExplain(program: Command): void {
  const command = program
    .command('explain')
    .description('tell why a call was changed or refused')
    .argument('<id>', 'as the error of the call tells it, or the header x-tokenfuse-decision')
  withJsonOption(withProcessorOptions(command))
    .addHelpText(
      'after',
      `
Examples:
  $ tokenfuse explain d412-0                 a decision of the governor
  $ tokenfuse explain 29627fb94b4b29e1-17    a refusal by the guard of one process`,
    )
    .action(explain)
}

async function explain(
  id: string,
  { json, ...where }: ProcessorOptions & { readonly json?: boolean },
): Promise<void> {
  const answer = await connect(where).explain(id)
  if (json) printJson(answer)
  else printLines(explainLines(answer, styleFor(process.stdout)))
}
