/** A simulation is the same on every version of Node.js. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { nodeOf } from '../harness/node-versions.ts'

const MOST_BYTES = 100_000_000
let folder = ''

before(async () => {
  // A tool of the project: it has no types.
  const tool = (await import(new URL('../../tools/simulate.mjs', import.meta.url).href)) as {
    bundleSimulation: () => Promise<string>
  }
  folder = await tool.bundleSimulation()
})

after(() => rmSync(folder, { recursive: true, force: true }))

const runs = [
  ...['atoms', 'copies', 'groups', 'moves', 'share'].map(workload => ({ workload, tempo: 'dense', minutes: '0.3' })),
  ...['groups', 'share', 'writes'].map(workload => ({ workload, tempo: 'sparse', minutes: '2' })),
]

for (const { workload, tempo, minutes } of runs) {
  test(`a ${tempo} seed of ${workload} gives the same trace, byte for byte, twice, and on Node 20, 22 and 24`, () => {
    const args = ['--workload', workload, '--seed', '11', '--tempo', tempo, '--minutes', minutes, '--trace']
    const trace = (node: string): string =>
      execFileSync(node, [join(folder, 'main.mjs'), ...args], { encoding: 'utf8', maxBuffer: MOST_BYTES })
    const first = trace(process.execPath)
    assert.ok(first.split('\n').length > 500)
    assert.equal(trace(process.execPath), first)
    for (const major of [20, 22, 24]) assert.ok(trace(nodeOf(major)) === first, `it is another one on Node ${major}`)
  })
}
