// `npm run build`, after the compiler: writes what is published of each package into its dist.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { writeModules } from './modules.mjs'
import { packages, root } from './table.mjs'

const declarations = fileURLToPath(new URL('declarations.mjs', import.meta.url))

await Promise.all(packages.map(writeModules))
// The others refer to the first one's declarations.
const [first, ...others] = packages
await writeDeclarations(first)
await Promise.all(others.map(writeDeclarations))

/** In a process of its own: two at a time take half as long. */
async function writeDeclarations({ name }) {
  try {
    await promisify(execFile)(process.execPath, [declarations, name], { cwd: root })
  } catch ({ stdout, stderr }) {
    console.error(stdout + stderr)
    process.exit(1)
  }
}
