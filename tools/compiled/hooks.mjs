import { readFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { compiledPath, root } from './paths.mjs'

const own = pathToFileURL(root).href

export function load(url, context, next) {
  if (!url.startsWith(own) || !url.endsWith('.ts')) return next(url, context)
  return { format: 'module', shortCircuit: true, source: readFileSync(compiledPath(fileURLToPath(url))) }
}
