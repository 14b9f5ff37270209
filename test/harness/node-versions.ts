/**
 * Other versions of Node.js, Bun and Deno, from their npm packages. Of each there is one package for each platform, which
 * holds the program; what is called `node`, `bun` or `deno` only picks one of them when it is installed.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

// Below the root, where git ignores it.
const cache = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url))

const { platform, arch } = process
const isWindows = platform === 'win32'
const suffix = isWindows ? '.exe' : ''

/** The path of the newest Node.js of a major version; downloads it unless that is already done. */
export function nodeOf(major: number): string {
  const prefix = platform === 'darwin' && arch === 'arm64' ? 'node-bin' : 'node'
  return program(`node-${major}`, `${prefix}-${isWindows ? 'win' : platform}-${arch}@${major}`, `bin/node${suffix}`)
}

/** The path of the newest Bun; downloads it unless that is already done. */
export function bun(): string {
  const cpu = arch === 'arm64' ? 'aarch64' : arch
  return program('bun', `@oven/bun-${isWindows ? 'windows' : platform}-${cpu}@1`, `bin/bun${suffix}`)
}

/** The path of the newest Deno; downloads it unless that is already done. */
export function deno(): string {
  const libc = platform === 'linux' ? '-glibc' : ''
  return program('deno', `@deno/${platform}-${arch}${libc}@2`, `deno${suffix}`)
}

/** The program alone: a Node.js comes with thousands of headers. */
function program(name: string, pkg: string, file: string): string {
  const home = join(cache, name)
  const path = join(home, file)
  if (existsSync(path)) return path
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(`${home}-`)
  try {
    const options = ['--json', '--prefer-offline', '--pack-destination', folder]
    const said = execFileSync('npm', ['pack', pkg, ...options], { encoding: 'utf8', stdio: 'pipe', shell: isWindows })
    const [{ filename } = { filename: '' }] = JSON.parse(said) as readonly { readonly filename: string }[]
    execFileSync('tar', ['-xzf', filename, '--strip-components=1', `package/${file}`], { cwd: folder, stdio: 'pipe' })
    rmSync(join(folder, filename))
    // In one step: what is there is whole.
    rmSync(home, { recursive: true, force: true })
    renameSync(folder, home)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return path
}
