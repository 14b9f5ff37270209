// The hand-written sources of the packages.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/**
 * @param {string} root the repository
 * @returns {string[]} paths of all files under packages/*\/src but the generated ones, in order
 */
export function sourceFiles(root) {
  const packages = join(root, 'packages')
  return readdirSync(packages)
    .flatMap(name => readdirSync(join(packages, name, 'src'), { recursive: true, withFileTypes: true }))
    .filter(entry => entry.isFile() && entry.name.endsWith('.ts'))
    .map(entry => join(entry.parentPath, entry.name))
    .filter(path => !/[\\/]generated[\\/]/.test(path))
    .sort()
}
