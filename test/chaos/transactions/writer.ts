/** Writes transactions under one transactional id, by instances that come, go and are left behind as zombies. */
import { Producer, type KafkaError, type ProducerConfig } from 'ottla'
import { valueOf, type End, type Ledger } from './ledger.ts'

const quiet = (): void => undefined

export interface WriterOptions {
  readonly config: ProducerConfig
  readonly topic: string
  readonly partitions: number
  readonly ledger: Ledger
  readonly random: () => number
}

const MOST_MESSAGES = 40

export class Writer {
  readonly #number: number
  readonly #options: WriterOptions
  readonly #leaving: Promise<unknown>[] = []
  #producer: Producer | null = null
  #transactions = 0
  /** The number of instances left running when a newer one took over. */
  zombies = 0

  constructor(number: number, options: WriterOptions) {
    this.#number = number
    this.#options = options
  }

  async run(isOver: () => boolean): Promise<void> {
    const { random } = this.#options
    while (!isOver()) {
      const producer = await this.#instance()
      if (producer === null) continue
      const working = this.#transaction(producer)
      // The old instance keeps running while the new one starts.
      if (random() < 0.03) {
        this.zombies++
        this.#leave(producer, working)
      } else if (!(await working)) this.#leave(producer, working)
    }
    await Promise.all(this.#leaving)
    await this.#producer?.close()
    // Aborts the open transaction of a failed instance.
    const last = await this.#instance(true)
    await last?.close()
  }

  #leave(producer: Producer, working: Promise<unknown>): void {
    this.#producer = null
    this.#leaving.push(working.then(() => producer.close(1000)))
  }

  async #instance(isNew = false): Promise<Producer | null> {
    if (this.#producer !== null && !isNew) return this.#producer
    const producer = new Producer(this.#options.config, { logger: quiet })
    try {
      await producer.initTransactions(-1)
    } catch {
      // Fenced by a newer instance while it started.
      await producer.close(0)
      return null
    }
    this.#producer = producer
    return producer
  }

  /** @returns whether the producer can still be used */
  async #transaction(producer: Producer): Promise<boolean> {
    const { random, ledger } = this.#options
    const transaction = this.#transactions++
    const count = 1 + Math.floor(random() * MOST_MESSAGES)
    const note = (end: End): void => ledger.record(this.#number, transaction, end, count)
    note('aborted')
    const wantsCommit = random() < 0.7
    try {
      producer.beginTransaction()
      await this.#write(producer, transaction, count)
      if (wantsCommit) {
        // From here on it may be committed even if the call fails.
        note('unknown')
        await producer.commitTransaction(-1)
        note('committed')
      } else {
        await producer.abortTransaction(-1)
      }
      return true
    } catch (error) {
      if (!(error as KafkaError).txnRequiresAbort) return this.#abort(producer, error)
      note('aborted')
      return this.#abort(producer, error)
    }
  }

  async #write(producer: Producer, transaction: number, count: number): Promise<void> {
    const { random, topic, partitions } = this.#options
    for (let i = 0; i < count; i++) {
      const value = valueOf(this.#number, transaction, i, count)
      const message = { topic, partition: Math.floor(random() * partitions), value }
      if (random() < 0.1) await producer.send(message)
      else producer.produce(message, quiet)
    }
  }

  async #abort(producer: Producer, reason: unknown): Promise<boolean> {
    if ((reason as KafkaError).isFatal || producer.fatalError !== null) return false
    try {
      await producer.abortTransaction(-1)
      return true
    } catch {
      return false
    }
  }
}
