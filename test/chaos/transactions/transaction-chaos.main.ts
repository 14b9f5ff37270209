/**
 * Transactions under chaos: `npm run chaos:transactions -- [--minutes 2] [--writers 6] [--copiers 4] [--seed N]
 * [--release 4.3.1|3.9.1] [classic|consumer]`. Three real brokers are killed, paused and restarted, one at a time.
 * Afterwards every transaction must be complete or absent, and an exactly-once copy must equal the original.
 */
import { parseArgs } from 'node:util'
import { setTimeout as pause } from 'node:timers/promises'
import { startKafka } from '../../harness/kafka.ts'
import { seeded } from '../random.ts'
import { transactionChaos } from './transaction-chaos.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '2' },
    writers: { type: 'string', default: '6' },
    copiers: { type: 'string', default: '4' },
    release: { type: 'string', default: '4.3.1' },
    seed: { type: 'string' },
  },
})
const seed = Number(values.seed ?? Date.now() % 1_000_000)
const random = seeded(seed)
const release = values.release === '3.9.1' ? '3.9.1' : '4.3.1'
const protocol = positionals[0] === 'consumer' ? 'consumer' : 'classic'
console.log(`seed ${seed}, ${values.minutes} min on Kafka ${release}, group.protocol=${protocol}`)

const kafka = await startKafka({
  version: release,
  brokers: 3,
  config: {
    'offsets.topic.replication.factor': '3',
    'transaction.state.log.replication.factor': '3',
    'transaction.state.log.min.isr': '2',
    'transaction.state.log.num.partitions': '6',
    'min.insync.replicas': '2',
  },
})
const started = Date.now()
const log = (line: string): void => console.log(`  ${((Date.now() - started) / 1000).toFixed(1)} s ${line}`)

/** Kills or pauses one broker at a time. */
async function disturb(until: number): Promise<void> {
  while (Date.now() < until) {
    const broker = kafka.brokers[Math.floor(random() * kafka.brokers.length)]
    if (broker === undefined) throw new Error('there are no brokers')
    if (random() < 0.4) {
      broker.pause()
      await pause(500 + random() * 6000)
      broker.resume()
    } else {
      await broker.kill9()
      log(`broker ${broker.id} killed`)
      await pause(random() * 5000)
      await broker.restart()
    }
    await pause(2000 + random() * 3000)
  }
}

try {
  const result = await transactionChaos({
    bootstrapServers: kafka.bootstrapServers,
    name: `transaction-chaos-${seed}`,
    partitions: 6,
    writers: Number(values.writers),
    copiers: Number(values.copiers),
    protocol,
    seconds: Number(values.minutes) * 60,
    random,
    disturb,
    log,
  })
  const { ends, messages, zombies, members, complaints } = result
  log(`${messages} messages; ${zombies} instances fenced; ${members} members of the copying group`)
  for (const complaint of complaints.slice(0, 20)) console.log(`  WRONG: ${complaint}`)
  console.log(
    complaints.length === 0 && ends.committed > 0 ? 'all transactions are whole' : `${complaints.length} complaints`,
  )
  process.exitCode = complaints.length === 0 && ends.committed > 0 ? 0 : 1
} finally {
  await kafka.close()
}
