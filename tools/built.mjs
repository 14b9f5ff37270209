// What the root commands need before they can run: the dependencies and the built packages.
import { spawnSync } from 'node:child_process'
import { existsSync, statSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** The built command line, to be run with node. */
export const cli = join(root, 'packages', 'cli', 'bin', 'ottla.js')

/** Installs and builds what is missing or older than its source; ends the process when that fails. */
export function ensureBuilt() {
  const installed = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(installed)) run('installing (npm ci)', ['ci', '--no-audit', '--no-fund'])
  else if (statSync(join(root, 'package-lock.json')).mtimeMs > statSync(installed).mtimeMs) {
    console.error('% package-lock.json is newer than node_modules: run npm ci if something is missing')
  }
  const packages = ['protocol', 'ottla', 'broker', 'cli'].map(name => join(root, 'packages', name))
  const stale = packages.some(path => newest(join(path, 'src')) > newest(join(path, 'dist')))
  if (stale) run('building (npm run build)', ['run', 'build', '--silent'])
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

/** When the newest file below a folder was written; 0 when it is not there. */
function newest(folder) {
  if (!existsSync(folder)) return 0
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  return Math.max(0, ...files.map(file => statSync(join(file.parentPath ?? file.path, file.name)).mtimeMs))
}
