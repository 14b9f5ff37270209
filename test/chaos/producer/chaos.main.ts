/**
 * Producers under faults for long: `npm run chaos -- [--minutes 10] [--seed N] [--messages 150] [--fault-every-ms 1000]`
 * Three real brokers that are killed, stopped and paused, connections that are cut, delayed and silenced, leaders that
 * are moved. Every message is compared with its report.
 */
import { parseArgs } from 'node:util'
import { startKafka } from '../../harness/kafka.ts'
import { idempotentChaos } from './chaos.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string' },
    messages: { type: 'string', default: '150' },
    'fault-every-ms': { type: 'string', default: '1000' },
    quiet: { type: 'boolean', default: false },
  },
})
const seed = Number(values.seed ?? Date.now() % 1_000_000)
const seconds = Number(values.minutes) * 60
console.log(`seed ${seed}, ${seconds} s`)
const kafka = await startKafka({ brokers: 3, proxied: true })
const started = Date.now()
try {
  const { complaints, complaintCount, faults, writers, written, read } = await idempotentChaos({
    kafka,
    topic: 'chaos',
    seconds,
    seed,
    messages: Number(values.messages),
    faultEveryMs: Number(values['fault-every-ms']),
    tell: line => {
      if (!values.quiet) console.log(`  ${((Date.now() - started) / 1000).toFixed(1)} s ${line}`)
    },
  })
  for (const [fault, count] of faults) console.log(`${fault}: ${count} times`)
  for (const line of writers) console.log(line)
  console.log(`${written} messages accepted, ${read} read, ${complaintCount} complaints`)
  for (const line of complaints) console.log(`  ${line}`)
  process.exitCode = complaintCount > 0 ? 1 : 0
} finally {
  await kafka.close()
}
