/** `message.timeout.ms` on a whole cluster: each message is reported in its own time, and as what has become of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Producer, type DeliveryReport, type KafkaError, type ProducerConfig } from 'ottla'
import { simulate, type Simulation } from '@ottla/broker/simulation'

const TOPIC = 't'
const TIMEOUT_MS = 4000
/** How often messages are checked. */
const SCAN_MS = TIMEOUT_MS / 10
/** The second message of a batch comes this much later than the first. */
const APART_MS = 2000
const LINGER_MS = APART_MS + 500
const quiet = (): void => undefined

interface Scene extends Pick<Simulation, 'network'> {
  readonly producer: Producer
  readonly sleep: (ms: number) => Promise<void>
  /** `value status`, with the error's name if there is one. */
  readonly told: string[]
  /** Puts two messages into one batch, which is then sent; waits until the first has timed out and been reported. */
  readonly oldAndYoung: () => Promise<void>
  /** The values in the log. */
  readonly log: () => string[]
}

/** One partition, which broker 2 leads; the producer is on the host `writer`. */
function scene(config: Partial<ProducerConfig>, play: (scene: Scene) => Promise<void>): Promise<void> {
  return simulate({ seed: 1, cluster: { brokers: 2 } }, async simulation => {
    const { bootstrapServers, cluster, network } = simulation
    cluster.createTopic(TOPIC, { partitions: 1, replicationFactor: 2 })
    cluster.setLeader(TOPIC, 0, 2)
    const producer = new Producer(
      { 'bootstrap.servers': bootstrapServers, 'message.timeout.ms': TIMEOUT_MS, 'linger.ms': LINGER_MS, ...config },
      { ...simulation.host('writer'), logger: quiet },
    )
    const told: string[] = []
    const report = ({ value, status, error, latencyMs }: DeliveryReport): void => {
      told.push(`${String(value)} ${status}${error === undefined ? '' : ` ${error.name}`}`)
      if (error?.name === 'ERR__MSG_TIMED_OUT') {
        assert.ok(latencyMs >= TIMEOUT_MS && latencyMs <= TIMEOUT_MS + SCAN_MS, `after ${latencyMs} ms`)
      }
    }
    const sleep = (ms: number): Promise<void> => simulation.sleep(ms)
    const oldAndYoung = async (): Promise<void> => {
      producer.produce({ topic: TOPIC, value: 'old' }, report)
      await sleep(APART_MS)
      producer.produce({ topic: TOPIC, value: 'young' }, report)
      await sleep(TIMEOUT_MS - APART_MS + SCAN_MS + 10)
      assert.equal(told.length, 1, told.join())
      assert.equal(producer.outstanding, 1)
      assert.equal(await producer.flush(0), 1)
    }
    const log = (): string[] => cluster.messages(TOPIC).map(({ value }) => String(value))
    try {
      await play({ producer, network, sleep, told, oldAndYoung, log })
    } finally {
      await producer.close(1000)
    }
  })
}

for (const idempotent of [false, true]) {
  const config = { 'enable.idempotence': idempotent }

  test(`an answer that is late for some messages of its batch settles the others (idempotent: ${idempotent})`, () =>
    scene(config, async ({ producer, network, told, oldAndYoung, log }) => {
      await producer.send({ topic: TOPIC, value: 'first' })
      network.setWay('broker-2', 'writer', 'black-hole')
      await oldAndYoung()
      network.setWay('broker-2', 'writer', 'open')
      assert.equal(await producer.flush(), 0)
      assert.deepEqual(told, ['old possibly-persisted ERR__MSG_TIMED_OUT', 'young persisted'])
      const { offset } = await producer.send({ topic: TOPIC, value: 'last' })
      assert.deepEqual([offset, log()], [3, ['first', 'old', 'young', 'last']])
    }))

  test(`what times out before there is a connection is never written; the rest of its batch is (idempotent: ${idempotent})`, () =>
    scene(config, async ({ producer, network, told, oldAndYoung, log }) => {
      network.setWay('writer', 'broker-2', 'black-hole')
      await oldAndYoung()
      network.setWay('writer', 'broker-2', 'open')
      assert.equal(await producer.flush(), 0)
      assert.deepEqual(told, ['old not-persisted ERR__MSG_TIMED_OUT', 'young persisted'])
      await producer.send({ topic: TOPIC, value: 'last' })
      assert.deepEqual(log(), ['young', 'last'])
    }))
}

test('a transaction of which one message has timed out can only be aborted; the next one is as good as any', () =>
  scene({ 'transactional.id': 'writer' }, async ({ producer, network, told, oldAndYoung }) => {
    await producer.initTransactions()
    producer.beginTransaction()
    await producer.send({ topic: TOPIC, value: 'first' })
    network.setWay('broker-2', 'writer', 'black-hole')
    await oldAndYoung()
    network.setWay('broker-2', 'writer', 'open')
    await assert.rejects(producer.commitTransaction(), (error: KafkaError) => error.txnRequiresAbort)
    await producer.abortTransaction()
    assert.equal(told[0], 'old possibly-persisted ERR__MSG_TIMED_OUT')
    assert.equal(told.length, 2)
    await producer.transaction(async tx => {
      assert.equal((await tx.send({ topic: TOPIC, value: 'again' })).status, 'persisted')
    })
  }))
