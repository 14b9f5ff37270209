/** Puts a mutant into the sources as they are bundled. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'esbuild'
import type { Mutant } from './mutant.ts'

const SOURCES = join('packages', 'ottla', 'src')

/** Throws Error when the mutant has gone stale: its text does not occur exactly once. */
export function mutated(root: string, { id, file, find, replace }: Mutant): string {
  const source = readFileSync(join(root, SOURCES, file), 'utf8')
  const parts = source.split(find)
  if (parts.length !== 2) {
    throw new Error(`${id} has gone stale: its text occurs ${parts.length - 1} times in ${file}; adapt it to the code`)
  }
  return parts.join(replace)
}

export function mutation(root: string, mutant: Mutant): Plugin {
  const contents = mutated(root, mutant)
  const path = join(root, SOURCES, mutant.file)
  return {
    name: `mutant ${mutant.id}`,
    setup(build) {
      build.onLoad({ filter: /\.ts$/ }, ({ path: loaded }) => (loaded === path ? { contents, loader: 'ts' } : null))
    },
  }
}
