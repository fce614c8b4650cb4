import { dirname, join, relative, sep } from 'node:path'
import { moduleRule } from './rule.ts'

const PROTOCOL = ['@tokenfuse/protocol', '@tokenfuse/protocol/names']

/**
 * Which modules of ours, or files of this repository, the files of a folder may import besides their own folder's;
 * the first entry that fits a file holds. Deep paths into another package are never among them, so that a package's exports are all it promises.
 */
const DIRECTIONS: readonly { readonly folder: string; readonly may: readonly string[] }[] = [
  { folder: 'protocol', may: [] },
  // Facts from bytes, of use to the command line too: they know nothing of the rest of the preload.
  { folder: 'instrumentation/src/providers', may: ['@tokenfuse/protocol/names'] },
  // The preload is loaded by every process of an app, so it takes only the light part of the contracts.
  { folder: 'instrumentation', may: ['@tokenfuse/protocol/names'] },
  // The core of the processor does not know its shell; the governor knows no meter.
  { folder: 'processor/src/meter', may: PROTOCOL },
  { folder: 'processor/src/governor', may: PROTOCOL },
  { folder: 'processor', may: PROTOCOL },
  {
    folder: 'cli',
    may: [
      ...PROTOCOL,
      '@tokenfuse/processor',
      '@tokenfuse/instrumentation/providers',
      '@tokenfuse/instrumentation/spool',
    ],
  },
  // It bills by its own rules: what is checked against it may not share its code.
  { folder: 'test/support/provider', may: ['test/support/child.ts'] },
]

const PACKAGE_OF_OURS = /^(@tokenfuse\/|tokenfuse($|\/))/

export const importDirections = moduleRule((specifier, { filename, cwd }) => {
  const file = relative(cwd, filename).split(sep).join('/')
  const direction = DIRECTIONS.find(({ folder }) => file.startsWith(`${folder}/`))
  if (!direction) return null
  const { folder, may } = direction
  if (PACKAGE_OF_OURS.test(specifier)) {
    return may.includes(specifier) ? null : refusal(folder, specifier, may)
  }
  if (!specifier.startsWith('.')) return null
  const target = join(dirname(file), specifier).split(sep).join('/')
  const isAllowed = target.startsWith(`${folder}/`) || may.includes(target)
  return isAllowed ? null : refusal(folder, specifier, may)
})

function refusal(folder: string, specifier: string, may: readonly string[]): string {
  const list = may.length === 0 ? 'nothing of ours' : `of ours only ${may.join(', ')}`
  return `${folder}/ imports ${list}, so not "${specifier}".`
}
