// The packages as they are published: what `files` lists, with a package.json that has no sources and a README whose links
// work outside the repository.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, sep } from 'node:path'
import { REPOSITORY } from './manifests.mjs'
import { packages, root, SOURCE } from './table.mjs'

/**
 * @typedef {object} Packed as `npm pack --json` says it
 * @property {string} name
 * @property {string} filename
 * @property {number} size of the archive, bytes
 * @property {number} unpackedSize
 * @property {{ path: string, size: number }[]} files
 */

/**
 * Packs every package into a folder.
 * @param {string} destination it is made if it is missing
 * @returns {Packed[]} in the order in which they can be published
 */
export function packAll(destination) {
  mkdirSync(destination, { recursive: true })
  return withStaged(folders => npmJson('pack', ...folders, '--json', '--pack-destination', destination))
}

/** Calls `use` with the folders that `npm pack` and `npm publish` take, and removes them afterwards. */
export function withStaged(use) {
  const staging = mkdtempSync(join(tmpdir(), 'ottla-staged-'))
  try {
    return use(packages.map(pkg => staged(pkg, staging)))
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
}

/** What a program says in JSON on standard output; throws what it says on standard error. */
export function npmJson(...args) {
  const { status, stdout, stderr } = spawnSync('npm', args, { encoding: 'utf8', shell: process.platform === 'win32' })
  if (status !== 0) throw new Error(`npm ${args[0]}: ${stderr}`)
  return JSON.parse(stdout)
}

function staged({ folder, manifest }, staging) {
  const to = join(staging, manifest.name)
  for (const file of manifest.files.flatMap(pattern => matching(folder, pattern))) {
    mkdirSync(dirname(join(to, file)), { recursive: true })
    cpSync(join(folder, file), join(to, file), { recursive: true })
  }
  writeFileSync(join(to, 'README.md'), publishedReadme(folder))
  writeFileSync(join(to, 'package.json'), `${JSON.stringify(publishedManifest(manifest), null, 2)}\n`)
  return to
}

/** What a line of `files` stands for: a path, or `folder/*.extension`. */
function matching(folder, pattern) {
  const [, below, extension] = /^(.*)\/\*(\.[\w.]+)$/.exec(pattern) ?? []
  if (below === undefined) return [pattern]
  const names = readdirSync(join(folder, below), { withFileTypes: true })
  return names.filter(each => each.isFile() && each.name.endsWith(extension)).map(({ name }) => `${below}/${name}`)
}

const LINK = /\]\((?!https?:|mailto:|#)([^)\s#]+)(#[^)\s]*)?\)/g

/** Throws Error for a link to a file that is not there. */
function publishedReadme(folder) {
  return readFileSync(join(folder, 'README.md'), 'utf8').replaceAll(LINK, (_, link, anchor = '') => {
    const target = join(folder, link)
    if (!existsSync(target)) throw new Error(`${folder}/README.md links to ${link}, which is not there`)
    return `](${REPOSITORY}/blob/main/${relative(root, target).split(sep).join('/')}${anchor})`
  })
}

/** A package.json without the condition that only this repository uses. */
export function publishedManifest({ exports, ...manifest }) {
  const withoutSource = ([subpath, target]) => {
    const { [SOURCE]: _, ...conditions } = typeof target === 'string' ? { default: target } : target
    return [subpath, typeof target === 'string' ? target : conditions]
  }
  return { ...manifest, exports: Object.fromEntries(Object.entries(exports).map(withoutSource)) }
}
