// Bundlers, each with its defaults for Node.js. The bundle runs where nothing else is; the zstd of Node.js before 22.15 is a
// package that stays outside (WebAssembly), so that it is told to leave that codec out there.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as zlib from 'node:zlib'
import { esm, program } from './story.mjs'
import { programIn, run, runTool } from './project.mjs'

const codecs = ['none', 'gzip', 'snappy', 'lz4', ...('zstdCompressSync' in zlib ? ['zstd'] : [])]
const sources = { 'story.mjs': esm, 'main.mjs': program('esm', 'story.mjs') }

const esbuild = (format, options = []) => ({
  name: 'esbuild',
  dependencies: { esbuild: '^0.28' },
  files: sources,
  bundle: folder =>
    // A script, or the program itself.
    run(
      programIn(folder, 'esbuild'),
      [
        ...['main.mjs', '--bundle', '--platform=node', `--format=${format}`, ...options],
        `--outfile=out/main.${format === 'esm' ? 'mjs' : 'cjs'}`,
      ],
      { cwd: folder },
    ),
  warning: /warning/i,
})

/** @type {import('./main.mjs').Check[]} */
export const bundlers = [
  { row: 'esbuild', column: 'CommonJS', isQuick: true, ...esbuild('cjs') },
  { row: 'esbuild', column: 'ES modules', isQuick: true, ...esbuild('esm', ['--minify']) },
  {
    row: 'Rollup',
    column: 'ES modules',
    name: 'rollup',
    dependencies: { rollup: '^4', '@rollup/plugin-node-resolve': '^16', '@rollup/plugin-commonjs': '^29' },
    files: {
      ...sources,
      'rollup.config.mjs': `import commonjs from '@rollup/plugin-commonjs'
        import resolve from '@rollup/plugin-node-resolve'
        export default {
          input: 'main.mjs',
          output: { file: 'out/main.mjs', format: 'es' },
          plugins: [resolve({ preferBuiltins: true }), commonjs()],
        }`,
    },
    bundle: folder => runTool(folder, 'rollup/dist/bin/rollup', ['-c']),
    warning: /^\(!\)/m,
  },
  { row: 'webpack', column: 'CommonJS', ...webpack(`filename: 'main.cjs', library: { type: 'commonjs2' }`) },
  { row: 'webpack', column: 'ES modules', ...webpack(`filename: 'main.mjs', module: true`) },
  {
    row: 'Vite SSR',
    column: 'ES modules',
    name: 'vite',
    dependencies: { vite: '^8' },
    files: {
      ...sources,
      'vite.config.mjs': `export default {
        build: { ssr: 'main.mjs', outDir: 'out', rollupOptions: { output: { entryFileNames: 'main.mjs' } } },
        ssr: { noExternal: true },
        logLevel: 'warn',
      }`,
    },
    bundle: folder => runTool(folder, 'vite/bin/vite.js', ['build']),
    warning: /warn/i,
  },
].map(check => ({
  group: 'Bundlers',
  ...check,
  run: async folder => {
    const said = await check.bundle(folder)
    if (check.warning.test(said)) throw new Error(`${check.row} warns:\n${said}`)
    await runAlone(join(folder, 'out'))
  },
}))

function webpack(output) {
  return {
    name: 'webpack',
    dependencies: { webpack: '^5', 'webpack-cli': '^6' },
    files: {
      ...sources,
      'webpack.config.mjs': `import { fileURLToPath } from 'node:url'
        const path = fileURLToPath(new URL('out', import.meta.url))
        export default {
          mode: 'production',
          target: 'node',
          entry: './main.mjs',
          output: { path, clean: true, ${output} },
          experiments: { outputModule: true },
        }`,
    },
    bundle: folder => runTool(folder, 'webpack/bin/webpack.js', ['--stats', 'errors-warnings']),
    warning: /warning/i,
  }
}

/** Runs the bundle in a folder where no package can be found. */
async function runAlone(out) {
  const folder = mkdtempSync(join(tmpdir(), 'ottla-bundled-'))
  try {
    mkdirSync(folder, { recursive: true })
    for (const name of readdirSync(out)) cpSync(join(out, name), join(folder, name), { recursive: true })
    const main = readdirSync(folder).find(name => /^main\.[cm]js$/.test(name))
    const said = await run(process.execPath, [join(folder, main), ...codecs], { cwd: folder })
    if (!said.includes(`told ${codecs.join()}`)) throw new Error(`the bundle said: ${said}`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const next = {
  group: 'Bundlers',
  row: 'Next.js',
  column: 'route handler',
  name: 'next',
  dependencies: { next: '^16', react: '^19', 'react-dom': '^19' },
  files: {
    'story.js': esm,
    'app/layout.js': `export default function Layout({ children }) { return <html><body>{children}</body></html> }`,
    'app/page.js': `export default function Page() { return <p>ottla</p> }`,
    'app/story/route.js': `import { story } from '../../story.js'
      export const dynamic = 'force-dynamic'
      export const GET = async () => new Response('told ' + (await story(${JSON.stringify(codecs)})))`,
    'serve.mjs': `import { spawn } from 'node:child_process'
      const port = String(20_000 + Math.floor(Math.random() * 20_000))
      const server = spawn(process.execPath, ['node_modules/next/dist/bin/next', 'start', '-p', port], { stdio: 'inherit' })
      let text = ''
      for (let left = 60; left > 0 && text === ''; left--) {
        await new Promise(resolve => setTimeout(resolve, 500))
        text = await fetch('http://127.0.0.1:' + port + '/story').then(r => r.text(), () => '')
      }
      server.kill()
      console.log(text)`,
  },
}

bundlers.push({
  ...next,
  run: async folder => {
    await runTool(folder, 'next/dist/bin/next', ['build'], { NEXT_TELEMETRY_DISABLED: '1' })
    const said = await run(process.execPath, ['serve.mjs'], { cwd: folder, env: { NEXT_TELEMETRY_DISABLED: '1' } })
    if (!said.includes(`told ${codecs.join()}`)) throw new Error(`Next.js said: ${said}`)
  },
})
