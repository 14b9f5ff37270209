// `npm run nightly [-- --only NAME,NAME] [--minutes M]`: what is slow and rarely fails, one after the other; M are the
// minutes of each chaos run (10). Ends with a table, and with status 1 if anything failed.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const { values } = parseArgs({ options: { only: { type: 'string' }, minutes: { type: 'string', default: '10' } } })
const { minutes } = values

const SEED_SECONDS = 7200
// Every night goes on behind the one before, so that they add up.
const LEDGER = 'test/simulation/SEEDS.md'

const chaos = name => ['run', '--silent', name, '--', '--minutes', minutes]
const steps = {
  tests: ['test', '--', '--nightly'],
  seeds: [
    ...['run', '--silent', 'simulate', '--', '--minutes', '10', '--seconds', `${SEED_SECONDS}`],
    ...['--ledger', LEDGER],
  ],
  compatibility: ['run', '--silent', 'compatibility'],
  mutants: ['run', '--silent', 'simulate:mutants'],
  chaos: chaos('chaos'),
  transactions: chaos('chaos:transactions'),
  groups: chaos('chaos:groups'),
  storm: chaos('chaos:storm'),
  share: chaos('chaos:share'),
  'soak of a producer': ['run', '--silent', 'soak:producer'],
  'soak of a consumer': ['run', '--silent', 'soak:consumer'],
}

const chosen = values.only?.split(',') ?? Object.keys(steps)
const unknown = chosen.find(name => !(name in steps))
if (unknown !== undefined) {
  console.error(`there is no '${unknown}'; there are ${Object.keys(steps).join(', ')}`)
  process.exit(2)
}

const results = []
for (const name of chosen) {
  console.log(`\n== ${name}: npm ${steps[name].join(' ')}`)
  const begun = Date.now()
  const child = spawn('npm', steps[name], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  const [status] = await once(child, 'exit')
  results.push({ name, status, minutes: (Date.now() - begun) / 60_000 })
}
console.log('')
const width = Math.max(...results.map(({ name }) => name.length))
for (const { name, status, minutes: taken } of results) {
  console.log(`${name.padEnd(width)}  ${status === 0 ? 'passed' : 'FAILED'}  ${taken.toFixed(1).padStart(6)} min`)
}
process.exitCode = results.every(({ status }) => status === 0) ? 0 : 1
