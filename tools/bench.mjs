// `npm run bench`: produce, consume and latency one after the other, each in a process of its own. Against the
// embedded cluster, or with `--brokers HOST:PORT --topic TOPIC` against one that runs. Other options (--count,
// --size, --compression, ...) go to every run. `npm run bench -- produce ...` is `ottla bench produce ...`.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cli, ensureBuilt } from './built.mjs'

ensureBuilt()
const args = process.argv.slice(2)
const operations = ['produce', 'consume', 'latency']

if (operations.includes(args[0])) process.exit(bench(args[0], args.slice(1)))
const given = args.includes('--brokers') || args.includes('-b')
const broker = given ? null : spawn(process.execPath, [cli, 'broker', '--port', '0', '--partitions', '4'])
let status = 0
try {
  const where = broker === null ? [] : ['--brokers', await address(broker), '--topic', 'bench']
  status = bench('produce', [...where, ...args]) | bench('consume', [...where, ...args])
  status |= bench('latency', [...where, '--count', '2000', ...args])
} finally {
  broker?.kill('SIGTERM')
}
process.exit(status)

function bench(operation, options) {
  return spawnSync(process.execPath, [cli, 'bench', operation, ...options], { stdio: 'inherit' }).status ?? 1
}

/** What follows `listening on` in the broker's first line. */
async function address(child) {
  child.stderr.pipe(process.stderr)
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data')
  return line.trim().split(' ').at(-1)
}
