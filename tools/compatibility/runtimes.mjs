// What runs the packages: Node.js of each major version, Bun and Deno, from their npm packages.
import { join } from 'node:path'
import { commonjs, esm, program } from './story.mjs'
import { programIn, run } from './project.mjs'

const files = {
  'story.cjs': commonjs,
  'main.cjs': program('commonjs', 'story.cjs'),
  'story.mjs': esm,
  'main.mjs': program('esm', 'story.mjs'),
}

const runtimes = [
  ...[20, 22, 24].map(major => ({
    row: `Node.js ${major}`,
    name: `node-${major}`,
    dependencies: { node: `${major}` },
    command: folder => [join(folder, 'node_modules', 'node', 'bin', 'node')],
  })),
  // The oldest, and the newest.
  { row: 'Bun 1.2', name: 'bun-1.2', dependencies: { bun: '1.2.0' }, command: folder => [programIn(folder, 'bun')] },
  { row: 'Bun', name: 'bun', dependencies: { bun: '^1' }, command: folder => [programIn(folder, 'bun')] },
  ...[
    ['Deno 2.1', '2.1.0'],
    ['Deno', '^2'],
  ].map(([row, version]) => ({
    row,
    name: row.toLowerCase().replace(' ', '-'),
    dependencies: { deno: version },
    command: folder => [programIn(folder, 'deno'), 'run', '--allow-all', '--node-modules-dir=manual'],
  })),
]

/** @type {import('./main.mjs').Check[]} */
export const onRuntimes = runtimes.flatMap(({ command, ...runtime }) =>
  ['cjs', 'mjs'].map(kind => ({
    group: 'Runtimes',
    ...runtime,
    column: kind === 'cjs' ? 'require' : 'import',
    files,
    run: async folder => {
      const [binary, ...args] = command(folder)
      const said = await run(binary, [...args, `main.${kind}`], { cwd: folder })
      if (!/told none,gzip,snappy,lz4,zstd/.test(said)) throw new Error(`it said: ${said}`)
    },
  })),
)
