/** A share group of ours and of Java's members. */
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { AdminClient, Producer, ShareConsumer } from 'ottla'
import { fresh } from '../behaviour/world.ts'
import { sharedKafka, type SharedKafka } from '../harness/shared.ts'
import { createTopic } from '../harness/topics.ts'

const COUNT = 400
const quiet = (): void => undefined

let kafka: SharedKafka
let admin: AdminClient

before(async () => {
  kafka = await sharedKafka('single')
  admin = new AdminClient({ 'bootstrap.servers': kafka.bootstrapServers }, { logger: quiet })
})

after(async () => {
  await admin.close()
  await kafka.close()
})

test("Java's members and ours share the messages of one partition: each is one's alone", async () => {
  const [topic, group] = [fresh('shared'), fresh('mixed-sharers')]
  await createTopic(kafka.bootstrapServers, topic, { replicationFactor: 1 })
  const settings = {
    'share.auto.offset.reset': 'earliest',
    'share.assignment.interval.ms': '0',
    'share.heartbeat.interval.ms': '200',
  }
  const entries = Object.entries(settings).map(([name, value]) => ({ name, value, operation: 'set' as const }))
  await admin.incrementalAlterConfigs([{ type: 'group', name: group, entries }])
  const servers = { 'bootstrap.servers': kafka.bootstrapServers }
  const ours = new ShareConsumer({ ...servers, 'group.id': group, 'max.poll.records': 10 }, { logger: quiet })
  ours.subscribe(topic)
  const java = kafka.javaTool('org.apache.kafka.tools.consumer.ConsoleShareConsumer', [
    ...['--bootstrap-server', kafka.bootstrapServers],
    ...['--topic', topic, '--group', group, '--timeout-ms', '5000'],
    ...['--command-property', 'max.poll.records=10', '--command-property', 'share.acquire.mode=record_limit'],
  ])
  const own: string[] = []
  const javaDone = new AbortController()
  const reading = (async () => {
    while (!javaDone.signal.aborted) {
      const event = await ours.poll(100)
      if (event?.type !== 'message') continue
      own.push(String(event.message.value))
      await new Promise(resolve => setTimeout(resolve, 2))
    }
  })()
  for (;;) {
    const [described] = await admin.describeShareGroups([group])
    if (described?.members.filter(({ assignment }) => assignment.length > 0).length === 2) break
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  const producer = new Producer(servers, { logger: quiet })
  await producer.sendBatch(Array.from({ length: COUNT }, (_, i) => ({ topic, partition: 0, value: `m${i}` })))
  await producer.close()
  const { stdout, stderr } = await java
  javaDone.abort()
  await reading
  await ours.close()
  const theirs = stdout.split('\n').filter(line => /^m\d+$/.test(line))
  assert.ok(own.length > 0 && theirs.length > 0, `${own.length} here, ${theirs.length} there: ${stderr.slice(-500)}`)
  const all = [...own, ...theirs]
  assert.equal(new Set(all).size, COUNT)
  assert.equal(all.length, COUNT, 'a message was given out twice')
})
