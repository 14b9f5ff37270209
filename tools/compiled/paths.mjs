import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** Where the compiled form of a source is. */
export function compiledPath(file) {
  return join(root, 'node_modules', '.cache', 'compiled', relative(root, file).replace(/ts$/, 'js'))
}
