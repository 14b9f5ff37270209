/** The packages as npm would install them: packed, and unpacked into a project that has nothing else of this repository. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './program.ts'

/** What `npm pack --json` says of a package. */
export interface Packed {
  readonly name: string
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

interface PackTool {
  readonly packAll: (destination: string) => Packed[]
  readonly npmJson: (...args: readonly string[]) => unknown
}

/** A tool of the project: it has no types. */
const packTool = async (): Promise<PackTool> =>
  (await import(new URL('../../tools/packages/pack.mjs', import.meta.url).href)) as PackTool

/** A project in a temporary folder. */
export interface Project {
  readonly folder: string
  readonly packed: readonly Packed[]
  /** Writes a file of the project. */
  write(name: string, text: string): void
  /** Unpacks another copy of a package into a folder of the project. */
  unpack(name: string, into: string): void
  remove(): void
}

/** What npm would pack of a folder. */
export async function packable(folder: string): Promise<Packed> {
  const { npmJson } = await packTool()
  const [packed] = npmJson('pack', folder, '--dry-run', '--json') as [Packed]
  return packed
}

/** Packages of others are those of the repository: nothing is downloaded. */
export async function installedProject(): Promise<Project> {
  const folder = mkdtempSync(join(tmpdir(), 'ottla-project-'))
  const { packAll } = await packTool()
  const archives = join(folder, 'archives')
  const packed = packAll(archives)
  const unpack = (name: string, into: string): void => {
    const filename = packed.find(each => each.name === name)?.filename
    if (filename === undefined) throw new Error(`${name} is not packed`)
    const target = join(folder, into)
    mkdirSync(target, { recursive: true })
    execFileSync('tar', ['-xzf', join(archives, filename), '-C', target, '--strip-components=1'])
  }
  linkOthers(join(folder, 'node_modules'))
  for (const { name } of packed) unpack(name, join('node_modules', name))
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text)
  write('package.json', '{ "private": true }')
  return { folder, packed, write, unpack, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

function linkOthers(modules: string): void {
  const source = join(root, 'node_modules')
  mkdirSync(modules)
  for (const name of readdirSync(source)) {
    if (name !== 'ottla' && name !== '@ottla' && !name.startsWith('.')) {
      symlinkSync(join(source, name), join(modules, name), 'junction')
    }
  }
}
