/** Applications that keep calling a closed client: each call rejects, and nothing else of the process stands still. */
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { EmbeddedCluster } from '@ottla/broker'
import { Consumer, ErrorCode, Producer, ShareConsumer } from 'ottla'

const quiet = (): void => undefined
const options = { logger: quiet }

let cluster: EmbeddedCluster
let servers: { 'bootstrap.servers': string }

before(async () => {
  cluster = await EmbeddedCluster.start()
  servers = { 'bootstrap.servers': cluster.bootstrapServers }
})

after(() => cluster.close())

/** What is given is called again and again until a timer has had its turn. */
async function delaysNoTimer(call: () => Promise<unknown>): Promise<void> {
  let isOver = false as boolean
  setTimeout(() => (isOver = true), 5)
  for (let i = 0; i < 100_000 && !isOver; i++) await assert.rejects(call(), { code: ErrorCode.ERR__STATE })
  assert.ok(isOver)
}

const at = [{ topic: 'orders', partition: 0, offset: 0 }]

const consumerCalls: Record<string, (consumer: Consumer) => Promise<unknown>> = {
  poll: consumer => consumer.poll(0),
  readMessage: consumer => consumer.readMessage(0),
  assign: consumer => consumer.assign(at),
  unassign: consumer => consumer.unassign(),
  incrementalAssign: consumer => consumer.incrementalAssign(at),
  incrementalUnassign: consumer => consumer.incrementalUnassign(at),
  unsubscribe: consumer => consumer.unsubscribe(),
  commit: consumer => consumer.commit(at),
  commitMessage: consumer => consumer.commitMessage({ topic: 'orders', partition: 0, offset: 0 }),
  committed: consumer => consumer.committed(at),
  seek: consumer => consumer.seek(at),
  queryWatermarkOffsets: consumer => consumer.queryWatermarkOffsets('orders', 0),
  offsetsForTimes: consumer => consumer.offsetsForTimes(at),
  getMetadata: consumer => consumer.getMetadata(),
  run: consumer => consumer.run({ handler: quiet }),
}

for (const [name, call] of Object.entries(consumerCalls)) {
  test(`repeated calls of ${name} of a closed consumer delay no timer`, async () => {
    const consumer = new Consumer({ ...servers, 'group.id': 'g' }, options)
    await consumer.close()
    await delaysNoTimer(() => call(consumer))
  })
}

const shareCalls: Record<string, (consumer: ShareConsumer) => Promise<unknown>> = {
  poll: consumer => consumer.poll(0),
  unsubscribe: consumer => consumer.unsubscribe(),
  commit: consumer => consumer.commit(),
  run: consumer => consumer.run({ handler: quiet }),
}

for (const [name, call] of Object.entries(shareCalls)) {
  test(`repeated calls of ${name} of a closed share consumer delay no timer`, async () => {
    const consumer = new ShareConsumer({ ...servers, 'group.id': 'g' }, options)
    await consumer.close()
    await delaysNoTimer(() => call(consumer))
  })
}

const producerCalls: Record<string, (producer: Producer) => Promise<unknown>> = {
  send: producer => producer.send({ topic: 'orders', value: 'a' }),
  getMetadata: producer => producer.getMetadata(),
  queryWatermarkOffsets: producer => producer.queryWatermarkOffsets('orders', 0),
  offsetsForTimes: producer => producer.offsetsForTimes(at),
  initTransactions: producer => producer.initTransactions(),
  commitTransaction: producer => producer.commitTransaction(),
  abortTransaction: producer => producer.abortTransaction(),
  transaction: producer => producer.transaction(quiet),
}

for (const [name, call] of Object.entries(producerCalls)) {
  test(`repeated calls of ${name} of a closed producer delay no timer`, async () => {
    const producer = new Producer({ ...servers, 'transactional.id': 'closed' }, options)
    await producer.close()
    await delaysNoTimer(() => call(producer))
  })
}
