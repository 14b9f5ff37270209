import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'
import assert from 'node:assert/strict'

const root = fileURLToPath(new URL('../../', import.meta.url))
const map = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8')
const packages = readdirSync(join(root, 'packages'))
const sources = packages.map(name => join('packages', name, 'src'))

/** What stands in backticks and is a path: of the repository, or of one package's sources. */
function pathsNamed(): string[] {
  const quoted = [...map.matchAll(/`([^`\n]+)`/g)].map(([, text]) => text!)
  return [...new Set(quoted.filter(text => /^[\w./-]+(\/|\.(ts|mjs|md))$/.test(text)))]
}

test('every path that the map names is there', () => {
  const missing = pathsNamed().filter(
    path => ![root, ...sources.map(each => join(root, each))].some(base => isThere(base, path)),
  )
  assert.deepEqual(missing, [])
})

/** A file's name alone may be that of a file in any room. */
function isThere(base: string, path: string): boolean {
  return existsSync(join(base, path)) || (!path.includes('/') && allFiles.has(path))
}

const allFiles = new Set(
  sources.flatMap(each =>
    readdirSync(join(root, each), { recursive: true, encoding: 'utf8' }).map(path => path.split(/[\\/]/).at(-1)!),
  ),
)

test('the map names every room', () => {
  const rooms = sources.flatMap(each =>
    readdirSync(join(root, each), { recursive: true, withFileTypes: true })
      .filter(entry => entry.isDirectory())
      .map(entry => join(entry.parentPath, entry.name).slice(join(root, each).length + 1)),
  )
  const named = new Set(pathsNamed())
  assert.deepEqual(
    rooms.filter(room => !named.has(`${room}/`)),
    [],
  )
})

test('the map says of 25 changes or more which file to open', () => {
  const [, table = ''] = map.split('## To change X, open Y')
  const rows = table
    .split('\n## ')[0]!
    .split('\n')
    .filter(line => /^\| .*`(packages|spec|tools)\//.test(line))
  assert.ok(rows.length >= 25, `${rows.length} rows`)
})
