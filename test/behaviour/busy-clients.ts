/** Busy clients, and observers of their connections. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { Consumer, ErrorCode, Producer, type ClientConfig, type KafkaError, type LogSink } from 'ottla'
import { fresh } from './world.ts'

const WAIT_MS = 20_000

/** Counts what a client logs about its connections. */
export class Witness {
  readonly errors: KafkaError[] = []
  /** The number of sessions that were renewed. */
  renewed = 0
  /** The number of renewals that began while requests were in flight. */
  busy = 0
  lost = 0
  readonly log: LogSink = (_level, facility, message) => {
    if (facility === 'REAUTH') this.renewed++
    if (facility === 'SESSION' && / -> exchanging, [1-9]/.test(message)) this.busy++
    if (facility === 'STATE' && message.endsWith('up -> closed')) this.lost++
  }

  watch(client: { on(type: 'error', listener: (event: { error: KafkaError }) => void): unknown }): void {
    client.on('error', ({ error }) => this.errors.push(error))
  }

  get refusals(): KafkaError[] {
    return this.errors.filter(({ code }) => code === ErrorCode.ERR__AUTHENTICATION)
  }
}

/** Sends numbers one after the other, forever. */
export class Load {
  sent = 0
  readonly failed: unknown[] = []
  #isOver = false
  readonly #over: Promise<void>

  constructor(producer: Producer, topic: string) {
    this.#over = this.#run(producer, topic)
  }

  async #run(producer: Producer, topic: string): Promise<void> {
    const waiting: Promise<unknown>[] = []
    while (!this.#isOver) {
      for (let i = 0; i < 5; i++) {
        const sending = producer.send({ topic, partition: this.sent % 3, value: String(this.sent++) })
        waiting.push(sending.catch((error: unknown) => this.failed.push(error)))
      }
      await sleep(1)
    }
    await Promise.all(waiting)
  }

  stop(): Promise<void> {
    this.#isOver = true
    return this.#over
  }
}

/** Reads until a condition holds; counts the messages and keeps them by partition. */
export class Reading {
  readonly numbers: number[][] = [[], [], []]
  count = 0
  readonly #consumer: Consumer

  constructor(consumer: Consumer) {
    this.#consumer = consumer
  }

  async until(done: () => boolean): Promise<void> {
    const deadline = Date.now() + WAIT_MS
    while (!done()) {
      if (Date.now() > deadline) throw new Error(`${this.count} messages were read`)
      const event = await this.#consumer.poll(50)
      if (event?.type !== 'message') continue
      this.numbers[event.message.partition]?.push(Number(event.message.value))
      this.count++
    }
  }

  /** Asserts that every number was read once, in order. */
  check(sent: number): void {
    this.numbers.forEach((numbers, partition) => {
      const expected = Array.from({ length: Math.ceil((sent - partition) / 3) }, (_, i) => i * 3 + partition)
      // Report the first wrong number instead of thousands.
      const wrong = numbers.findIndex((number, i) => number !== expected[i])
      assert.equal(wrong, -1, `partition ${partition}: ${numbers[wrong]} in place of ${expected[wrong]}`)
      assert.equal(numbers.length, expected.length)
    })
  }
}

/** A producer of numbers and a consumer of them. */
export interface Busy {
  readonly load: Load
  readonly reading: Reading
  readonly clients: readonly [Producer, Consumer]
  readonly witnesses: readonly [Witness, Witness]
  /** Every number has been read: once, and in order. */
  readonly finish: () => Promise<void>
  readonly close: () => Promise<void>
}

/** @param topic has three partitions; the first messages have been read on return */
export async function makeBusy(topic: string, config: ClientConfig): Promise<Busy> {
  const witnesses = [new Witness(), new Witness()] as const
  const common = { ...config, debug: 'security,broker' }
  const producer = new Producer({ ...common, 'enable.idempotence': true, 'linger.ms': 2 }, { logger: witnesses[0].log })
  const consumer = new Consumer(
    { ...common, 'group.id': fresh('session'), 'auto.offset.reset': 'earliest', 'auto.commit.interval.ms': 100 },
    { logger: witnesses[1].log },
  )
  witnesses[0].watch(producer)
  witnesses[1].watch(consumer)
  consumer.subscribe(topic)
  const load = new Load(producer, topic)
  const reading = new Reading(consumer)
  const finish = async (): Promise<void> => {
    await load.stop()
    assert.deepEqual(load.failed, [])
    await reading.until(() => reading.count >= load.sent)
    reading.check(load.sent)
  }
  const close = async (): Promise<void> => {
    await load.stop()
    await Promise.all([producer.close(), consumer.close()])
  }
  try {
    await reading.until(() => reading.count > 100)
  } catch (error) {
    await close()
    throw error
  }
  return { load, reading, clients: [producer, consumer], witnesses, finish, close }
}
