// `npm run rooms`: checks the import directions of .dependency-cruiser.cjs, in about two seconds.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cruise } from 'dependency-cruiser'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { forbidden, options } = createRequire(import.meta.url)('../.dependency-cruiser.cjs')

/** Every forbidden import below `folder`, as `rule: from -> to`. */
export async function forbiddenImports(folder = root) {
  const rooms = ['packages', 'test', 'tools', 'examples', 'bench'].filter(name => existsSync(`${folder}/${name}`))
  const ruleSet = { forbidden }
  const { output } = await cruise(rooms, { ...options, baseDir: folder, ruleSet, validate: true })
  const { violations, totalCruised } = output.summary
  return {
    files: totalCruised,
    violations: violations.map(({ rule, from, to, cycle }) => {
      const way = cycle ? cycle.map(step => step.name ?? step).join(' -> ') : to
      return `${rule.name}: ${from} -> ${way}`
    }),
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { files, violations } = await forbiddenImports()
  for (const violation of violations) console.error(violation)
  console.log(`${files} files, ${violations.length} forbidden imports`)
  if (violations.length > 0) process.exitCode = 1
}
