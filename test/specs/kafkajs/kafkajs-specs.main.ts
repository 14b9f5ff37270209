/**
 * `npm run specs:kafkajs -- --from CHECKOUT [--client facade|kafkajs] [--on embedded|real] [--save] [PART OF A PATH ...]`:
 * runs the specs of kafkajs through the facade, or through kafkajs itself in the same surroundings. CHECKOUT is a work
 * tree of kafkajs, which nothing is written to. `--save` writes the results to results.json and to the table in
 * packages/kafkajs/SPECS.md.
 */
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { prepare, runSpecs, type Client, type SpecTest } from './jest-run.ts'
import { resultsOf, saveResults, unexplained, writePage } from './results.ts'
import { publicSpecs } from './specs.ts'
import { startSurroundings, type World } from './surroundings.ts'

/** The rest is Jest's stack. */
const MESSAGE_LINES = 14

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    from: { type: 'string' },
    client: { type: 'string', default: 'facade' },
    on: { type: 'string', default: 'embedded' },
    scratch: { type: 'string', default: join(tmpdir(), 'ottla-kafkajs-specs') },
    save: { type: 'boolean', default: false },
  },
})
const client = oneOf<Client>('client', values.client, ['facade', 'kafkajs'])
const world = oneOf<World>('on', values.on, ['embedded', 'real'])
const checkout = resolve(values.from ?? '')
if (values.from === undefined || !existsSync(join(checkout, 'testHelpers'))) {
  stop('--from is to be a work tree of kafkajs (tulios/kafkajs on GitHub, version 2.2.4)')
}
const isChosen = (path: string): boolean => positionals.length === 0 || positionals.some(part => path.includes(part))
const files = publicSpecs.filter(isChosen)
if (files.length === 0) stop(`no spec of the public API has a path with ${positionals.join(' or ')}`)

const scratch = resolve(values.scratch)
await prepare(scratch)
const surroundings = await startSurroundings(world)
const tests = await runSpecs({ checkout, scratch, client, surroundings, files }).finally(() => surroundings.close())
for (const [path, all] of tests) print(path, all)
const results = resultsOf(tests)
if (values.save) {
  await saveResults(results, client, world)
  await writePage()
}
const open = client === 'facade' ? unexplained(results) : []
if (open.length > 0) console.error(`\nwithout a reason in reasons.ts:\n${open.join('\n')}`)
// Sockets of what failed may still be open.
process.exit(open.length > 0 ? 1 : 0)

function print(path: string, all: readonly SpecTest[]): void {
  const failed = all.filter(({ status }) => status === 'failed')
  const passed = all.filter(({ status }) => status === 'passed')
  console.log(`${path}: ${passed.length} passed, ${failed.length} failed`)
  for (const { name, messages } of failed) {
    console.log(`  ${name}`)
    const lines = messages.join('\n').split('\n').slice(0, MESSAGE_LINES)
    for (const line of lines) console.log(`      ${line}`)
  }
}

function oneOf<T extends string>(option: string, given: string, allowed: readonly T[]): T {
  const found = allowed.find(each => each === given)
  return found ?? stop(`--${option} is to be ${allowed.join(' or ')}`)
}

function stop(why: string): never {
  console.error(why)
  process.exit(2)
}
