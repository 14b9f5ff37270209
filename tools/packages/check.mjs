// `npm run packages:check`: publint and attw on the packed packages, and every link of a published README.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureBuilt } from '../built.mjs'
import { packAll } from './pack.mjs'
import { root } from './table.mjs'

ensureBuilt()
const folder = mkdtempSync(join(tmpdir(), 'ottla-packed-'))
try {
  const archives = packAll(folder).map(({ filename }) => join(folder, filename))
  const modules = join(root, 'node_modules')
  for (const archive of archives) {
    await Promise.all([
      tool(join(modules, 'publint', 'src', 'cli.js'), archive, '--strict'),
      tool(join(modules, '@arethetypeswrong', 'cli', 'dist', 'index.js'), archive, '--format', 'ascii', '--no-emoji'),
    ])
  }
} finally {
  rmSync(folder, { recursive: true })
}

/** What a tool says is shown if it finds something. */
async function tool(script, ...args) {
  const child = spawn(process.execPath, [script, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', text => (said += text))
  const [code] = await once(child, 'close')
  if (code === 0) return
  console.error(said)
  process.exitCode = 1
}
