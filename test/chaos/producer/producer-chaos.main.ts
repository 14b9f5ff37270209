/**
 * Producers under faults: `npm run chaos -- [--minutes 10] [--seed N] [--transactions]
 * [--messages 150] [--fault-every-ms 1000] [--quiet]`
 * Three real brokers are killed, stopped and paused, connections cut, delayed and silenced, leaders moved. Every message
 * is compared with its report. With `--transactions` (`npm run chaos:transactions` with more faults), only whole
 * transactions may be visible, and a copy of them must be equal.
 */
import { parseArgs } from 'node:util'
import { startKafka } from '../../harness/kafka.ts'
import { seeded } from '../random.ts'
import { transactionChaos } from '../transactions/transaction-chaos.ts'
import { idempotentChaos } from './producer-chaos.ts'
import { FaultInjector } from './fault-injector.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string' },
    transactions: { type: 'boolean', default: false },
    messages: { type: 'string', default: '150' },
    'fault-every-ms': { type: 'string', default: '1000' },
    quiet: { type: 'boolean', default: false },
  },
})
const WRITERS = 5
const COPIERS = 3
const PARTITIONS = 6
// Partitions of the coordinators' topics, as set by the harness.
const COORDINATOR_PARTITIONS = 8

const seed = Number(values.seed ?? Date.now() % 1_000_000)
const seconds = Number(values.minutes) * 60
const everyMs = Number(values['fault-every-ms'])
console.log(`seed ${seed}, ${seconds} s`)
const kafka = await startKafka({ brokers: 3, proxied: true })
const started = Date.now()
const log = (line: string): void => {
  if (!values.quiet) console.log(`  ${((Date.now() - started) / 1000).toFixed(1)} s ${line}`)
}
try {
  const complaints = values.transactions ? await transactions() : await messages()
  for (const line of complaints) console.log(`  ${line}`)
  process.exitCode = complaints.length > 0 ? 1 : 0
} finally {
  await kafka.close()
}

async function messages(): Promise<readonly string[]> {
  const options = {
    kafka,
    topic: 'chaos',
    seconds,
    seed,
    messages: Number(values.messages),
    faultEveryMs: everyMs,
    log,
  }
  const { complaints, complaintCount, faults, writers, written, read } = await idempotentChaos(options)
  logFaults(faults)
  for (const line of writers) console.log(line)
  console.log(`${written} messages accepted, ${read} read, ${complaintCount} complaints`)
  return complaints
}

async function transactions(): Promise<readonly string[]> {
  const name = 'chaos'
  const topics = [
    { topic: `${name}-original`, partitions: PARTITIONS },
    { topic: `${name}-copy`, partitions: PARTITIONS },
    { topic: '__transaction_state', partitions: COORDINATOR_PARTITIONS },
    { topic: '__consumer_offsets', partitions: COORDINATOR_PARTITIONS },
  ]
  const random = seeded(seed)
  const faults = new FaultInjector({ kafka, topics, random, log, everyMs })
  const { ends, messages, zombies, members, complaints } = await transactionChaos({
    bootstrapServers: kafka.bootstrapServers,
    name,
    partitions: PARTITIONS,
    writers: WRITERS,
    copiers: COPIERS,
    protocol: seed % 2 === 0 ? 'classic' : 'consumer',
    seconds,
    random: seeded(seed ^ 0x5eed),
    disturb: async until => {
      await faults.run(until - Date.now())
      log('the faults are over')
      await faults.stop()
    },
    log,
  })
  logFaults(faults.counts)
  const { committed, aborted, unknown } = ends
  console.log(
    `${committed} transactions committed, ${aborted} aborted, ${unknown} unknown; ${messages} messages, ` +
      `${zombies} instances fenced, ${members} members of the copying group, ${complaints.length} complaints`,
  )
  return committed > 0 ? complaints : [...complaints, 'nothing was committed']
}

function logFaults(faults: ReadonlyMap<string, number>): void {
  console.log([...faults].map(([fault, count]) => `${fault}: ${count}`).join(', '))
}
