// `npm run evaluate -- forecast|runaway|spikes`: measures what the governor's models do on recorded data. The result goes to standard
// output; the exit code is 2 where the command line or a file cannot be used.

type Command = { readonly usage: string; run(args: string[]): string }

const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  forecast: async () => (await import('./forecast/command.ts')).forecastCommand,
  runaway: async () => (await import('./runaway/command.ts')).runawayCommand,
  spikes: async () => (await import('./spikes/command.ts')).spikesCommand,
}

process.once('SIGTERM', () => process.exit(143))
process.once('SIGINT', () => process.exit(130))

const [name = '', ...args] = process.argv.slice(2)
const load = COMMANDS[name]
if (load) {
  const command = await load()
  try {
    process.stdout.write(`${command.run(args)}\n`)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.stderr.write(`${command.usage}\n`)
    process.exitCode = 2
  }
} else {
  process.stderr.write(`there is nothing to evaluate called "${name}"; there is: `)
  process.stderr.write(`${Object.keys(COMMANDS).join(', ')}\n`)
  process.exitCode = 2
}
