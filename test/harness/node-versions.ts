/** Other versions of Node.js, Bun and Deno, from their npm packages. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

// Below the root, where git ignores it.
const cache = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url))

/** The path of the newest Node.js of a major version; installs it unless that is already done. */
export function nodeOf(major: number): string {
  return installed(`node-${major}`, `node@${major}`, join('node', 'bin', 'node'))
}

/** The path of the newest Bun or Deno; installs it unless that is already done. */
export function runtime(name: 'bun' | 'deno'): string {
  return installed(name, name, join('.bin', name))
}

/** @param binary - below node_modules */
function installed(name: string, specifier: string, binary: string): string {
  const folder = join(cache, name)
  const path = join(folder, 'node_modules', binary)
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
    execFileSync('npm', ['install', '--no-audit', '--no-fund', specifier], { cwd: folder, stdio: 'pipe' })
  }
  return path
}
