// `npm run compatibility -- [--quick] [--group typescript] [--only PART OF A NAME]`: loads the packed packages with each TypeScript, test
// runner, bundler and runtime, from empty projects in a temporary folder. All of it writes docs/compatibility.md; `--quick`
// takes what needs few downloads, and writes nothing.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureBuilt } from '../built.mjs'
import { root } from '../packages/table.mjs'
import { bundlers } from './bundlers.mjs'
import { page } from './page.mjs'
import { project, versionIn } from './project.mjs'
import { runners } from './runners.mjs'
import { onRuntimes } from './runtimes.mjs'
import { compilers } from './typescript.mjs'

/**
 * @typedef {object} Check a cell of a table
 * @property {string} group the table
 * @property {string} row
 * @property {string} column
 * @property {boolean} [isQuick]
 * @property {string} name of its project
 * @property {Record<string, string>} [dependencies] what is tried comes first; nothing is Node.js itself
 * @property {object} [manifest]
 * @property {Record<string, string>} [files]
 * @property {(folder: string) => Promise<unknown>} run rejects with what is wrong
 *
 * @typedef {Check & { version: string, why: string | null }} Result the version that was tried, and `why` it failed
 */

const { values } = parseArgs({
  options: { quick: { type: 'boolean' }, group: { type: 'string' }, only: { type: 'string' } },
})
const all = [...compilers, ...runners, ...bundlers, ...onRuntimes]
const isWhole = Object.keys(values).length === 0
const includes = (text, part = '') => text.toLowerCase().includes(part.toLowerCase())
const chosen = all
  .filter(({ isQuick }) => isQuick || !values.quick)
  .filter(({ group, row, column }) => includes(group, values.group) && includes(`${row}, ${column}`, values.only))
if (chosen.length === 0) {
  console.error('nothing of that name')
  process.exit(2)
}
ensureBuilt()

const started = Date.now()
/** @type {Result[]} */
const results = []
// Checks of one project share its files; two projects at a time.
const projects = [...new Set(chosen.map(({ name }) => name))]
await Promise.all([take(), take()])
const failed = results.filter(({ why }) => why !== null)
for (const { row, column, why } of failed) console.error(`\n${row}, ${column}:\n${why}`)
console.log(`\n${results.length - failed.length} hold, ${failed.length} fail, ${seconds(started)} s`)
if (isWhole && failed.length === 0) writeFileSync(join(root, 'docs', 'compatibility.md'), page(inOrder(results)))
process.exitCode = failed.length === 0 ? 0 : 1

async function take() {
  for (let name = projects.shift(); name !== undefined; name = projects.shift()) {
    for (const check of chosen.filter(each => each.name === name)) await perform(check)
  }
}

async function perform(check) {
  const begun = Date.now()
  let version = process.versions.node
  let why = null
  try {
    const folder = await project(check.name, check)
    const [tried] = Object.keys(check.dependencies ?? {})
    if (tried !== undefined) version = versionIn(folder, tried)
    await check.run(folder)
  } catch (error) {
    why = error.message
  }
  results.push({ ...check, version, why })
  console.log(`${why === null ? 'holds' : 'FAILS'}  ${check.row}, ${check.column}  ${seconds(begun)} s`)
}

function inOrder(cells) {
  return chosen.map(check => cells.find(({ row, column }) => row === check.row && column === check.column))
}

function seconds(since) {
  return ((Date.now() - since) / 1000).toFixed(1)
}
