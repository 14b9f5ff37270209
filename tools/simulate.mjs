// `npm run simulate`: bundles the simulation with its clients and cluster into one module, which runs faster, and runs it.
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** @param plugins of esbuild, which may change the sources @returns a folder with main.mjs and play.main.mjs */
export async function bundleSimulation(plugins = []) {
  // Below the project, so that packages are found.
  const outdir = mkdtempSync(join(root, 'node_modules', '.simulation-'))
  await build({
    entryPoints: ['main', 'play.main'].map(name => join(root, 'test', 'simulation', `${name}.ts`)),
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    conditions: ['@ottla/source'],
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    external: ['snappy', 'lz4-napi', '@node-rs/crc32', 'kerberos'],
    sourcemap: 'inline',
    logLevel: 'warning',
    plugins,
  })
  return outdir
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = await bundleSimulation()
  const remove = () => rmSync(folder, { recursive: true, force: true })
  process.on('exit', remove)
  const child = fork(join(folder, 'main.mjs'), process.argv.slice(2), {
    execArgv: ['--enable-source-maps'],
  })
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
  child.on('exit', code => (process.exitCode = code ?? 1))
}
