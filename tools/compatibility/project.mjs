// Empty projects in a temporary folder, with the packed packages in them. What npm installs there stays for the next time;
// the packages of this repository are laid new.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { packAll } from '../packages/pack.mjs'
import { packages, root } from '../packages/table.mjs'

// Outside the repository, whose packages would be found from within; each clone has its own.
const clone = createHash('sha256').update(root).digest('hex').slice(0, 8)
const home = join(tmpdir(), `ottla-compatibility-${clone}`)
const archives = join(home, 'archives')
const own = new Set(packages.map(({ name }) => name))
const LIMIT_MS = 1_200_000

/** Packages of others that ours need. */
const needed = Object.fromEntries(
  packages
    .flatMap(({ manifest }) => Object.entries({ ...manifest.dependencies, ...manifest.optionalDependencies }))
    .filter(([name]) => !own.has(name)),
)

/** What a package is installed as beside its own name: `npm install kafkajs@npm:@ottla/kafkajs`. */
const aliases = {
  '@ottla/kafkajs': 'kafkajs',
  '@ottla/node-rdkafka': 'node-rdkafka',
  '@ottla/kafka-javascript': '@confluentinc/kafka-javascript',
}

let packed
/** Projects that have the packages of this run. */
const laid = new Set()

/**
 * @param {string} name of the folder
 * @param {object} options
 * @param {Record<string, string>} [options.dependencies] what the project has beside the packages
 * @param {object} [options.manifest] further fields of its package.json
 * @param {Record<string, string>} [options.files] by their paths
 * @returns {Promise<string>} its folder
 */
export async function project(name, { dependencies = {}, manifest = {}, files = {} } = {}) {
  packed ??= packAll(archives)
  const folder = join(home, name)
  const wanted = JSON.stringify({ private: true, ...manifest, dependencies: { ...needed, ...dependencies } })
  await install(folder, wanted)
  for (const left of readdirSync(folder)) {
    if (left !== 'node_modules' && !left.startsWith('package')) rmSync(join(folder, left), { recursive: true })
  }
  if (!laid.has(name)) {
    for (const { name: each, filename } of packed) {
      unpack(join(archives, filename), join(folder, 'node_modules', each))
      const alias = aliases[each]
      if (alias !== undefined) unpack(join(archives, filename), join(folder, 'node_modules', alias))
    }
    laid.add(name)
  }
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

async function install(folder, manifest) {
  const done = join(folder, 'package.installed')
  const hash = createHash('sha256').update(manifest).digest('hex')
  if (existsSync(done) && readFileSync(done, 'utf8') === hash) return
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), manifest)
  // The peers of a tool that nobody uses here are left out.
  await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', '--legacy-peer-deps'], { cwd: folder })
  writeFileSync(done, hash)
}

function unpack(archive, folder) {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const { status, stderr } = spawnSync('tar', ['-xzf', archive, '-C', folder, '--strip-components=1'], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
}

/** The version that is installed in a project, `30.2.0`. */
export function versionIn(folder, name) {
  const { version } = JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8'))
  return version
}

/** The path of a program that a package of the project has. */
export function programIn(folder, name) {
  return join(folder, 'node_modules', '.bin', name)
}

/** Runs a program; rejects with all that it said unless it succeeds. @returns what it said */
export async function run(program, args, { cwd, env = {} }) {
  const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, ...clean } = process.env
  const child = spawn(program, args, {
    cwd,
    env: { ...clean, CI: 'true', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: AbortSignal.timeout(LIMIT_MS),
    killSignal: 'SIGKILL',
    shell: process.platform === 'win32',
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', text => (said += text))
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} in ${cwd}: status ${code}\n${said}`)
  return said
}

/** Runs a program of the project's packages with Node.js. */
export function runTool(folder, script, args, env) {
  return run(process.execPath, [join(folder, 'node_modules', script), ...args], { cwd: folder, env })
}
