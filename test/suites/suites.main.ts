/**
 * `npm run suites -- [--only NAME,NAME] [--on embedded|kafka|both] [--from FOLDER] [--log FILE]`: runs other projects' own tests and
 * writes packages/broker/FOREIGN.md. Ends with status 1 if a test fails on the embedded cluster only and has no reason.
 */
import { createWriteStream } from 'node:fs'
import { parseArgs } from 'node:util'
import { startGround } from './grounds.ts'
import { keep, writePage } from './page.ts'
import { relay } from './relay.ts'
import type { ForeignSuite, Ground } from './suite.ts'
import { suites } from './suites.ts'
import { watchSuspension } from './suspension.ts'

/** A run that stood still for longer says nothing. */
const LONGEST_PAUSE_MS = 5000

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    on: { type: 'string', default: 'both' },
    log: { type: 'string' },
    from: { type: 'string' },
  },
})
const names = values.only?.split(',') ?? suites.map(({ name }) => name)
const unknown = names.find(name => !suites.some(suite => suite.name === name))
const grounds: readonly Ground[] = (['embedded', 'kafka'] as const).filter(each => [each, 'both'].includes(values.on))
if (unknown !== undefined || grounds.length === 0) {
  const known = suites.map(({ name }) => name).join(', ')
  console.error(unknown === undefined ? '--on is to be embedded, kafka or both' : `no ${unknown}; there are ${known}`)
  process.exit(2)
}
const file = values.log === undefined ? null : createWriteStream(values.log)

for (const suite of suites.filter(({ name }) => names.includes(name))) {
  for (const ground of grounds) await run(suite, ground)
}
const unexplained = await writePage(suites)
if (unexplained.length > 0) console.error(`\nfail on the embedded cluster only:\n${unexplained.join('\n')}`)
// Connections of what failed may still be open.
process.exit(unexplained.length > 0 ? 1 : 0)

async function run(suite: ForeignSuite, ground: Ground): Promise<void> {
  const { name, version, surroundings } = suite
  console.log(`== ${name} ${version} on ${ground === 'embedded' ? 'the embedded cluster' : 'Kafka 4.3.1'}`)
  const running = await startGround(ground, surroundings)
  const { port } = surroundings
  const entrance = port === undefined ? null : await relay(port, running.bootstrapServers)
  const watch = watchSuspension()
  try {
    const outcomes = await suite.run(running, { from: values.from, log: line => file?.write(`${line}\n`) })
    const suspendedMs = watch.longestMs()
    if (suspendedMs < LONGEST_PAUSE_MS) keep(suite, ground, outcomes)
    else console.log(`not kept: everything stood still for ${Math.round(suspendedMs / 1000)} s meanwhile`)
    const count = (wanted: string): number => [...outcomes.values()].filter(outcome => outcome === wanted).length
    console.log(`${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`)
    for (const [test, outcome] of outcomes) if (outcome === 'failed') console.log(`  ${test}`)
  } finally {
    watch.close()
    entrance?.close()
    await running.close()
  }
}
