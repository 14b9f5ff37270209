/** Other versions of Node.js, from their npm packages. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

// Below the root, where git ignores it.
const cache = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url))

/** The path of the newest Node.js of a major version; installs it unless that is already done. */
export function nodeOf(major: number): string {
  const folder = join(cache, `node-${major}`)
  const binary = join(folder, 'node_modules', 'node', 'bin', 'node')
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
    execFileSync('npm', ['install', '--no-audit', '--no-fund', `node@${major}`], { cwd: folder, stdio: 'pipe' })
  }
  return binary
}
