// An ES module as esbuild writes it, as a CommonJS module. esbuild's own format reads what another package exports through
// its exports object each time, which is slow in the hot paths; here it is read once, which is the same thing as long as
// nothing exports a variable that changes and no packages or chunks import each other in circles.
import { Script } from 'node:vm'

const IMPORT = /^import (?:([\s\S]*?) from )?"([^"\n]+)";$/gm
const EXPORT = /^export \{\n([\s\S]*?)\n\};$/gm

/**
 * @param {string} code
 * @param {string} file for errors
 */
export function toCommonJs(code, file) {
  const body = code
    .replaceAll(IMPORT, (_, names, from) => requirement(names, from, file))
    .replaceAll(EXPORT, (_, list) => exportsOf(list))
  const module = `"use strict";\n${body}`
  // What was not recognised above is a syntax error in a script.
  new Script(`(function (exports, require, module, __filename, __dirname) {${module}\n})`, { filename: file })
  return module
}

function requirement(names, from, file) {
  const required = `require("${from.replace(/^(\.\.?\/.*)\.js$/, '$1.cjs')}")`
  if (names === undefined) return `${required};`
  if (names.startsWith('{')) return `const ${names.replaceAll(/\s+as\s+/g, ': ')} = ${required};`
  const [, name] = /^(?:\* as )?(\w+)$/.exec(names) ?? []
  // A default import of a CommonJS package would depend on who wrote that package.
  if (name === undefined || !from.startsWith('node:'))
    throw new Error(`${file}: cannot convert: import ${names} from ${from}`)
  return `const ${name} = ${required};`
}

/** One assignment for each: the form in which Node.js, and every bundler, recognises the names. */
function exportsOf(list) {
  return list
    .split(',\n')
    .map(each => each.trim().split(' as '))
    .map(([local, exported = local]) => `exports.${exported} = ${local};`)
    .join('\n')
}

/** The ES module that gives `names` of a CommonJS module. */
export function reexport(names, from) {
  return `export {\n${names.map(name => `  ${name},\n`).join('')}} from '${from}'\n`
}
