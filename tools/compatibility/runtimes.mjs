// What runs the packages: Node.js of each major version, Bun and Deno, from their npm packages.
import { join } from 'node:path'
import { bunIn } from './runners.mjs'
import { commonjs, esm, program } from './story.mjs'
import { run } from './project.mjs'

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
  { row: 'Bun', name: 'bun', dependencies: { bun: '^1' }, command: folder => [bunIn(folder)] },
  {
    row: 'Deno',
    name: 'deno',
    dependencies: { deno: '^2' },
    command: folder => [denoIn(folder), 'run', '--allow-all', '--node-modules-dir=manual'],
  },
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

function denoIn(folder) {
  const { platform, arch } = process
  const cpu = arch === 'arm64' ? 'arm64' : 'x64'
  const system = { linux: `linux-${cpu}-glibc`, darwin: `darwin-${cpu}`, win32: `win32-${cpu}` }[platform]
  return join(folder, 'node_modules', '@deno', system, platform === 'win32' ? 'deno.exe' : 'deno')
}
