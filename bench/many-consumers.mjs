// A hundred consumers in one process, in ten groups, while a producer writes: does each get everything, and how long
// was the longest silence of any of them? Run by `npm run bench:growth`; prints one line of JSON.
import { EmbeddedCluster } from '@ottla/broker'
import { Consumer, Producer } from 'ottla'

const consumers = Number(process.argv[2] ?? 100)
const GROUPS = Math.min(10, consumers)
const PARTITIONS = 40
const SECONDS = 10
const PER_TICK = 200
const TICK_MS = 10

const cluster = await EmbeddedCluster.start()
cluster.createTopic('growth', { partitions: PARTITIONS })
const members = Array.from({ length: consumers }, (_, i) => ({
  consumer: new Consumer({
    'bootstrap.servers': cluster.bootstrapServers,
    'group.id': `growth-${i % GROUPS}`,
    'auto.offset.reset': 'earliest',
  }),
  seen: 0,
  lastAt: 0,
  silenceMs: 0,
}))
const reading = members.map(async member => {
  member.consumer.subscribe('growth')
  for await (const batch of member.consumer.batches()) {
    const now = performance.now()
    if (member.lastAt > 0) member.silenceMs = Math.max(member.silenceMs, now - member.lastAt)
    member.lastAt = now
    member.seen += batch.length
  }
})

const producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers })
const value = Buffer.alloc(100, 'x')
const started = process.cpuUsage()
let produced = 0
for (const until = performance.now() + SECONDS * 1000; performance.now() < until;) {
  for (let i = 0; i < PER_TICK; i++) {
    producer.produce({ topic: 'growth', partition: produced % PARTITIONS, value }, () => undefined)
    produced++
  }
  await new Promise(resolve => setTimeout(resolve, TICK_MS))
}
await producer.flush(10_000)
const total = () => members.reduce((sum, { seen }) => sum + seen, 0)
for (let waited = 0; total() < produced * GROUPS && waited < 200; waited++) {
  await new Promise(resolve => setTimeout(resolve, 50))
}
const cpu = process.cpuUsage(started)
const consumed = total()
await Promise.all(members.map(({ consumer }) => consumer.close()))
await Promise.all(reading)
await producer.close()
await cluster.close()
console.log(
  JSON.stringify({
    consumers,
    produced,
    consumed,
    complete: consumed === produced * GROUPS,
    longest_silence_ms: Math.round(Math.max(...members.map(({ silenceMs }) => silenceMs))),
    cpu_us_per_message: Number(((cpu.user + cpu.system) / (produced + consumed)).toFixed(2)),
    memory_mb: Math.round(process.resourceUsage().maxRSS / 1024),
  }),
)
