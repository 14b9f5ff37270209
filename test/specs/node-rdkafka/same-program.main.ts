/**
 * `npm run specs:node-rdkafka-program -- --originals FOLDER [--on embedded|real]`: runs program.cjs with node-rdkafka, which
 * is installed in FOLDER, and with the facade; shows what they print, and fails if that differs.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { bundleFacade } from '../scratch.ts'
import { startSurroundings } from './surroundings.ts'

const { values } = parseArgs({
  options: { originals: { type: 'string' }, on: { type: 'string', default: 'embedded' } },
})
if (values.originals === undefined) throw new Error('--originals is to be a folder in which node-rdkafka is installed')
const program = fileURLToPath(new URL('program.cjs', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'ottla-same-program-'))
const facade = join(scratch, 'facade.cjs')
await bundleFacade('node-rdkafka', facade)
const brokers = await startSurroundings(values.on === 'real' ? 'real' : 'embedded')
try {
  const output = async (path: string, name: string): Promise<string[]> => {
    const { stdout } = await promisify(execFile)(process.execPath, [program, path, brokers.address, name])
    return stdout.trim().split('\n')
  }
  const theirs = await output(join(resolve(values.originals), 'node_modules/node-rdkafka'), 'theirs')
  const ours = await output(facade, 'ours')
  console.log(ours.join('\n'))
  assert.deepEqual(ours, theirs)
} finally {
  await brokers.close()
  rmSync(scratch, { recursive: true })
}
// The facade's bundler has a process of its own.
process.exit(0)
