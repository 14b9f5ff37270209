// `npm run api [-- --check]`: the public surface of each entry, as api/NAME.md, for review; a change of it is a change of
// that file. What the types refer to must be exported, and what is exported described.
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureBuilt } from '../built.mjs'
import { surfaceFile } from './declarations.mjs'
import { packages, root } from './table.mjs'

const folder = join(root, 'api')
const isCheck = process.argv.includes('--check')

ensureBuilt()
const complaints = []
const pages = new Map()
for (const pkg of packages) {
  for (const entry of pkg.entries) {
    const specifier = pkg.name + entry.subpath.slice(1)
    const { report, forgotten, undocumented } = JSON.parse(readFileSync(surfaceFile(pkg, entry), 'utf8'))
    pages.set(`${specifier.replace(/^@/, '').replaceAll('/', '-')}.md`, page(specifier, report))
    const missing = forgotten.map(name => `${specifier}: a public type refers to ${name}, which is not exported`)
    complaints.push(...missing)
    complaints.push(...undocumented.map(name => `${specifier}: ${name} has no description`))
  }
}
mkdirSync(folder, { recursive: true })
for (const name of readdirSync(folder)) if (!pages.has(name)) changed(name, () => rmSync(join(folder, name)))
for (const [name, text] of pages) {
  if (committed(name) !== text) changed(name, () => writeFileSync(join(folder, name), text))
}
for (const complaint of complaints) console.error(complaint)
if (complaints.length > 0) process.exitCode = 1

function page(specifier, report) {
  return `# ${specifier}\n\nThe public surface, written by \`npm run api\`. Do not edit.\n\n\`\`\`ts\n${report}\n\`\`\`\n`
}

function committed(name) {
  try {
    return readFileSync(join(folder, name), 'utf8')
  } catch {
    return null
  }
}

function changed(name, write) {
  if (isCheck) complaints.push(`the public surface has changed: api/${name} is not what \`npm run api\` writes`)
  else write()
}
