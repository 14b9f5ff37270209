// node --import: the project's TypeScript files are loaded as tools/compiled/compile.mjs has left them.
import Module, { createRequire, register } from 'node:module'
import { readFileSync } from 'node:fs'

process.setSourceMapsEnabled(true)
register('./hooks.mjs', import.meta.url)

// What is required, as optional packages are, is compiled at once: it is little, and a form of its own.
const require = createRequire(import.meta.url)
Module._extensions['.ts'] = (module, filename) => {
  const { transformSync } = require('esbuild')
  const options = { loader: 'ts', format: 'cjs', target: 'node20', sourcemap: 'inline', sourcefile: filename }
  module._compile(transformSync(readFileSync(filename, 'utf8'), options).code, filename)
}
