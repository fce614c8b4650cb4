import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { TokenfuseError } from '@tokenfuse/protocol/names'
import { type Command, InvalidArgumentError } from 'commander'
import { printJson, printLines } from '../output/print.ts'
import { styleFor } from '../output/style.ts'
import { withJsonOption } from './options.ts'

type InspectOptions = { readonly url: URL; readonly json?: boolean }

export function addInspect(program: Command): void {
  const command = program
    .command('inspect')
    .description('show what tokenfuse reads from one recorded response')
    .argument('<file>', 'a JSON body, raw server-sent events or one JSON event a line; - for stdin')
    .requiredOption('--url <url>', 'where it was requested', readUrl)
  withJsonOption(command)
    .addHelpText(
      'after',
      `
Needs no processor. Prices are those of today.

Examples:
  $ tokenfuse inspect answer.json --url https://api.openai.com/v1/chat/completions
  $ curl -sN https://api.anthropic.com/v1/messages ... |
      tokenfuse inspect - --url https://api.anthropic.com/v1/messages --json`,
    )
    .action(inspect)
}

async function inspect(file: string, { url, json }: InspectOptions): Promise<void> {
  const bytes = await readBytes(file)
  const { inspectFile } = await import('../inspect/inspected.ts')
  const { inspectedLines } = await import('../inspect/inspected-lines.ts')
  const inspected = inspectFile(bytes, url, Date.now())
  if (json) printJson(inspected)
  else printLines(inspectedLines(inspected, styleFor(process.stdout)))
}

async function readBytes(file: string): Promise<Uint8Array> {
  try {
    return file === '-' ? await buffer(process.stdin) : await readFile(file)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new TokenfuseError('file_unreadable', `${file} cannot be read: ${reason}`, {
      fix: 'Check its name and that you may read it.',
      cause,
    })
  }
}

function readUrl(text: string): URL {
  const url = URL.parse(text)
  if (url && /^https?:$/.test(url.protocol)) return url
  throw new InvalidArgumentError(
    'Write it whole, such as https://api.openai.com/v1/chat/completions.',
  )
}
