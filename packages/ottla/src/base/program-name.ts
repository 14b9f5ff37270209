import { basename, dirname } from 'node:path'

// Names that say nothing about the program: its folder does.
const common = new Set(['index', 'main', 'src', 'dist', 'build', 'lib', 'bin', 'out', 'cjs', 'esm'])

/**
 * What the program is called, for the names of clients that the application gives none: its file, or the folder of that.
 * @param path - of what Node runs; undefined for a program from the command line
 */
export function programName(path = process.argv[1]): string {
  let rest = path ?? ''
  let name = basename(rest).replace(/\.[cm]?[jt]s$/, '')
  while (common.has(name)) {
    rest = dirname(rest)
    name = basename(rest)
  }
  return name === '' ? 'node' : name
}
