import type { Command } from 'commander'
import { tellLines } from '../output/print.ts'

/** The processor's own process under `tokenfuse run`; not for people. */
export function addRunHost(program: Command): void {
  program
    .command('run-host', { hidden: true })
    .requiredOption('--data <dir>')
    .action(async ({ data }: { data: string }) => {
      const { hostProcessor } = await import('../run/host.ts')
      await hostProcessor(data, { log: (line) => tellLines([`tokenfuse: ${line}`]) })
    })
}
