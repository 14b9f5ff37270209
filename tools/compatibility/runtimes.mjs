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

// The oldest that they work on, and the newest of each major version.
const runtimes = [
  ...['20.19.0', '20', '22', '24'].map(version => ({
    row: `Node.js ${version}`,
    name: `node-${version}`,
    dependencies: { node: version },
    command: folder => [join(folder, 'node_modules', 'node', 'bin', 'node')],
  })),
  ...['1.2.10', '1'].map(version => ({
    row: `Bun ${version}`,
    name: `bun-${version}`,
    dependencies: { bun: version },
    command: folder => [programIn(folder, 'bun')],
  })),
  ...['2.8.0', '2'].map(version => ({
    row: `Deno ${version}`,
    name: `deno-${version}`,
    dependencies: { deno: version },
    command: folder => [programIn(folder, 'deno'), 'run', '--allow-all', '--node-modules-dir=manual'],
    // Deno 2.9.6 and older may run what it compiled of an older build (their issue 36413): a cache beside the program.
    env: folder => ({ DENO_DIR: join(folder, 'deno-cache') }),
  })),
]

/** @type {import('./main.mjs').Check[]} */
export const onRuntimes = runtimes.flatMap(({ command, env = () => ({}), ...runtime }) =>
  ['cjs', 'mjs'].map(kind => ({
    group: 'Runtimes',
    ...runtime,
    column: kind === 'cjs' ? 'require' : 'import',
    files,
    run: async folder => {
      const [binary, ...args] = command(folder)
      const said = await run(binary, [...args, `main.${kind}`], { cwd: folder, env: env(folder) })
      if (!/told none,gzip,snappy,lz4,zstd/.test(said)) throw new Error(`it said: ${said}`)
    },
  })),
)
