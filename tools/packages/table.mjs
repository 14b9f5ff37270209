// The published packages, in the order in which each can be built and published: a package comes after what it needs.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** The condition under which a package offers its sources; the published ones have no sources. */
export const SOURCE = '@ottla/source'

/**
 * @typedef {object} Entry
 * @property {string} subpath as in `exports`: `.` or `./simulation`
 * @property {string} module its module in `src` and `dist/tsc`, without an extension
 * @property {string} output the name of its files in `dist`, without an extension
 *
 * @typedef {object} Package
 * @property {string} name what it is installed as
 * @property {string} folder
 * @property {string} dist
 * @property {Record<string, any>} manifest its package.json
 * @property {Entry[]} entries what applications can import
 * @property {string[]} programs modules that are run and not imported
 * @property {boolean} hasDefault whether it stands in for a CommonJS package: the default import is all of it
 */

/** @type {readonly Package[]} */
export const packages = [
  described('protocol'),
  described('ottla'),
  described('schema-registry'),
  described('broker'),
  described('cli', ['main']),
  described('kafkajs', [], true),
  described('node-rdkafka', [], true),
  described('opentelemetry'),
  described('prometheus'),
  described('kafka-javascript', [], true),
]

function described(room, programs = [], hasDefault = false) {
  const folder = join(root, 'packages', room)
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return {
    name: manifest.name,
    folder,
    dist: join(folder, 'dist'),
    manifest,
    entries: entriesOf(manifest),
    programs,
    hasDefault,
  }
}

/** What has sources is an entry: one list of them, in package.json, serves tests and build alike. */
function entriesOf({ exports }) {
  return Object.entries(exports)
    .filter(([, conditions]) => conditions[SOURCE] !== undefined)
    .map(([subpath, conditions]) => ({
      subpath,
      module: conditions[SOURCE].replace(/^\.\/src\/|\.ts$/g, ''),
      output: subpath === '.' ? 'index' : subpath.slice(2),
    }))
}
