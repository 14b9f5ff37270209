// What the root commands need before they can run: the dependencies and the built packages.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { packages, root } from './packages/table.mjs'

/** The built command line, to be run with node. */
export const cli = join(root, 'packages', 'cli', 'bin', 'ottla.js')

/** Installs and builds what is missing or older than its source; ends the process when that fails. */
export function ensureBuilt() {
  ensureInstalled()
  // The type-check writes modules too, but only the build writes what is run; this is its last file.
  const stale = packages.some(
    ({ folder, dist }) => newest(join(folder, 'src')) > writtenAt(join(dist, 'tsc', 'declarations.hash')),
  )
  if (stale) run('building (npm run build)', ['run', 'build', '--silent'])
}

/** Installs the dependencies when they are missing or other versions than package-lock.json says. */
export function ensureInstalled() {
  if (!isInstalled()) run('installing (npm ci)', ['ci', '--no-audit', '--no-fund'])
}

function isInstalled() {
  const installed = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(installed)) return false
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
  const present = JSON.parse(readFileSync(installed, 'utf8')).packages
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.startsWith('node_modules/') || entry.link) return true
    if (present[path] !== undefined) return present[path].version === entry.version
    // What is optional may be absent: it was made for another platform, or was left out.
    return entry.optional || entry.devOptional || entry.peer
  })
}

function run(what, args) {
  console.error(`% ${what}`)
  // On Windows npm is a script, which needs a shell.
  const options = { cwd: root, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' }
  const { status, error } = spawnSync('npm', args, options)
  if (error === undefined && status === 0) return
  console.error(`% npm ${args[0]} failed${error === undefined ? '' : `: ${error.message}`}`)
  process.exit(1)
}

/** When a file was written; 0 when it is not there. */
function writtenAt(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

/** When the newest file below a folder was written; 0 when it is not there. */
function newest(folder) {
  if (!existsSync(folder)) return 0
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  return Math.max(0, ...files.map(file => statSync(join(file.parentPath ?? file.path, file.name)).mtimeMs))
}
