// `npm run release -- --version 0.2.0`: the version of all packages, in every file that has it, and the date in CHANGELOG.md.
// `npm run release -- --dry-run`: what would be published. `npm run release`: publishes it, in an order in which each finds
// what it needs, and what is published already is left out.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureBuilt } from '../built.mjs'
import { REPOSITORY } from './manifests.mjs'
import { npmJson, withStaged } from './pack.mjs'
import { whyNotReady } from './readiness.mjs'
import { packages, root } from './table.mjs'

const { values } = parseArgs({ options: { version: { type: 'string' }, 'dry-run': { type: 'boolean' } } })
const changelog = join(root, 'CHANGELOG.md')

/** Packages that stand in for others: what asks for one of those asks for its version, too. */
const standsInFor = { '@ottla/kafkajs': '2.3' }

try {
  if (values.version !== undefined) setVersion(values.version)
  else publish(values['dry-run'] === true)
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}

function setVersion(version) {
  if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) stop(`--version takes a version such as 1.2.3, not ${version}`)
  const own = new Set(packages.map(({ name }) => name))
  for (const { folder, manifest } of packages) {
    const moved = ranges =>
      Object.fromEntries(Object.entries(ranges).map(([name, range]) => [name, own.has(name) ? version : range]))
    const { dependencies = {}, peerDependencies = {} } = manifest
    const changed = {
      ...manifest,
      version: versionOf(manifest.name, version),
      dependencies: moved(dependencies),
      peerDependencies: moved(peerDependencies),
    }
    writeFileSync(join(folder, 'package.json'), `${JSON.stringify(changed, null, 2)}\n`)
  }
  replace(
    join(root, 'packages', 'ottla', 'src', 'version.ts'),
    /libraryVersion = '[^']*'/,
    `libraryVersion = '${version}'`,
  )
  const today = new Date().toISOString().slice(0, 10)
  replace(changelog, /^## \S+ \(unreleased\)$/m, `## ${version} (${today})`)
  const { status } = spawnSync('npm', ['install', '--package-lock-only'], { cwd: root, stdio: 'inherit' })
  if (status !== 0) stop('package-lock.json could not be written')
  console.log(
    `All packages are ${version} now. Commit that, tag it v${version}, and run \`npm run release\` on the tag.`,
  )
}

/** Of ottla 1.2.3: its own, or `2.3.10203` of one that stands in for version 2.2 of another. */
function versionOf(name, version) {
  const line = standsInFor[name]
  if (line === undefined) return version
  const [numbers, ...labels] = version.split('-')
  const [major, minor, patch] = numbers.split('.').map(Number)
  return [`${line}.${major * 10_000 + minor * 100 + patch}`, ...labels].join('-')
}

function replace(path, pattern, by) {
  const text = readFileSync(path, 'utf8')
  if (!pattern.test(text)) stop(`${path} has nothing that looks like ${pattern}`)
  writeFileSync(path, text.replace(pattern, by))
}

function publish(isDry) {
  ensureBuilt()
  const why = unready()
  if (why.length > 0 && !isDry) stop(why.join('\n'))
  withStaged(folders => {
    for (const folder of folders) {
      if (isDry) show(npmJson('pack', folder, '--dry-run', '--json')[0])
      else if (!isPublished(folder)) publishOne(folder)
    }
  })
  for (const reason of why) console.log(`not ready: ${reason}`)
}

/** Why this cannot be published. */
function unready() {
  const [{ manifest }] = packages
  return whyNotReady({
    version: manifest.version,
    changelog: readFileSync(changelog, 'utf8'),
    repository: REPOSITORY,
    remotes: git('remote').flatMap(remote => git('remote', 'get-url', remote)),
    isClean: git('status', '--porcelain', '--untracked-files=no').length === 0,
  })
}

/** The lines that git prints. */
function git(...args) {
  const { stdout } = spawnSync('git', args, { cwd: root, encoding: 'utf8' })
  return stdout.split('\n').filter(line => line !== '')
}

function show({ name, version, size, unpackedSize, files }) {
  const kilobytes = bytes => `${(bytes / 1000).toFixed(1)} kB`
  console.log(
    `\n${name}@${version}: ${files.length} files, ${kilobytes(size)} packed, ${kilobytes(unpackedSize)} unpacked`,
  )
  const modules = files.filter(({ path }) => path.startsWith('dist/esm/'))
  const others = files.filter(({ path }) => !path.startsWith('dist/esm/'))
  const sum = modules.reduce((total, file) => total + file.size, 0)
  const lines = [...others, ...(sum > 0 ? [{ path: `dist/esm/: ${modules.length} modules`, size: sum }] : [])]
  const width = Math.max(...lines.map(({ path }) => path.length))
  for (const { path, size: bytes } of lines) console.log(`  ${path.padEnd(width)} ${kilobytes(bytes).padStart(10)}`)
}

function isPublished(folder) {
  const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const { status, stdout } = spawnSync('npm', ['view', `${name}@${version}`, 'version'], { encoding: 'utf8' })
  return status === 0 && stdout.trim() === version
}

function publishOne(folder) {
  const { status } = spawnSync('npm', ['publish', folder], { cwd: root, stdio: 'inherit' })
  if (status !== 0) stop(`npm publish ${folder} failed; run this again when the reason is gone`)
}

function stop(why) {
  throw new Error(why)
}
