// node --import: the project's TypeScript files are loaded as tools/compiled/compile.mjs has left them.
import { register } from 'node:module'

process.setSourceMapsEnabled(true)
register('./hooks.mjs', import.meta.url)
