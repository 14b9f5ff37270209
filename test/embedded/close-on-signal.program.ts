/** A service for close-on-signal.test.ts: reads `in`, writes `out`, says when it works, and closes on SIGTERM. */
import { closeOnSignal, Consumer, Producer } from 'ottla'

const [servers = '', kind] = process.argv.slice(2)
const config = { 'bootstrap.servers': servers }
const producer = new Producer({ ...config, 'linger.ms': 60_000 })
const consumer = new Consumer({
  ...config,
  'group.id': 'g',
  'auto.offset.reset': 'earliest',
  'auto.commit.interval.ms': 3_600_000,
})
const told = new Promise<void>(resolve => {
  closeOnSignal([producer, consumer], {
    before: () => {
      resolve()
      process.send?.('closing')
    },
  })
})
consumer.subscribe('in')
await consumer.run({
  handler: async ({ value }) => {
    process.send?.('working')
    await told
    if (kind === 'hangs') await new Promise(() => undefined)
    producer.produce({ topic: 'out', value: `done ${String(value)}` })
  },
})
producer.produce({ topic: 'out', value: 'last words' })
