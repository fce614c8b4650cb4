import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export const root = join(import.meta.dirname, '../../..')
/** Folder of each package that is published. */
export const PACKAGES = ['protocol', 'instrumentation', 'processor', 'cli'] as const
export type PackageFolder = (typeof PACKAGES)[number]

export type Manifest = {
  readonly name: string
  readonly version: string
  readonly dependencies?: Readonly<Record<string, string>>
}

export function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
}

/** Packs every package into `destination`; gives the path of each tarball. */
export function packAll(destination: string): Record<PackageFolder, string> {
  const workspaces = PACKAGES.flatMap((folder) => ['-w', folder])
  const packed = npm(root, ['pack', '--json', '--pack-destination', destination, ...workspaces])
  const tarballs = PACKAGES.map((folder) => {
    const { name, version } = manifestOf(join(root, folder))
    const file = `${name.replace('@', '').replace('/', '-')}-${version}.tgz`
    if (!packed.includes(file)) throw new Error(`npm pack did not make ${file}:\n${packed}`)
    return [folder, join(destination, file)] as const
  })
  return Object.fromEntries(tarballs) as Record<PackageFolder, string>
}

/**
 * Installs the tarballs into an empty folder, without a registry: what they depend on is copied from this workspace's
 * node_modules. Only what they declare is there, so an import of anything else fails.
 */
export function installInto(
  folder: string,
  tarballs: Readonly<Record<PackageFolder, string>>,
): void {
  const dependencies: Record<string, string> = {}
  for (const [name, path] of thirdPartyClosure()) {
    const copy = join(folder, 'vendor', name)
    cpSync(path, copy, { recursive: true })
    // npm would want to install what a linked package is developed with.
    const manifest = { ...manifestOf(copy), devDependencies: {} }
    writeFileSync(join(copy, 'package.json'), JSON.stringify(manifest))
    dependencies[name] = `file:vendor/${name}`
  }
  for (const of of PACKAGES) {
    dependencies[manifestOf(join(root, of)).name] = `file:${tarballs[of]}`
  }
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'app', version: '1.0.0', private: true, dependencies }),
  )
  npm(folder, ['install', '--offline', '--install-links=false', '--ignore-scripts', '--no-audit'])
}

/** All that our packages depend on, directly or not: name and folder. */
function thirdPartyClosure(): Map<string, string> {
  const found = new Map<string, string>()
  const visit = (folder: string) => {
    for (const name of Object.keys(manifestOf(folder).dependencies ?? {})) {
      if (found.has(name)) continue
      const path = resolvePackage(folder, name)
      if (!isOurs(path)) found.set(name, path)
      visit(path)
    }
  }
  for (const folder of PACKAGES) visit(join(root, folder))
  return found
}

const isOurs = (path: string) =>
  PACKAGES.some((folder) => path === realpathSync(join(root, folder)))

function resolvePackage(from: string, name: string): string {
  const path = join(from, 'node_modules', name)
  if (existsSync(join(path, 'package.json'))) return realpathSync(path)
  if (dirname(from) === from) throw new Error(`${name} is not installed`)
  return resolvePackage(dirname(from), name)
}

function npm(cwd: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`npm ${args.join(' ')} failed\n${stdout}${stderr}`)
  return stdout
}
