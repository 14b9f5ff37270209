/** Idempotent producers that write numbered messages continuously, and keep every report. */
import { setTimeout as sleep } from 'node:timers/promises'
import { ErrorCode, Producer, type KafkaError, type ProducerConfig } from 'ottla'
import { Reports, valueOf, type Complaints } from './ledger.ts'

export interface WriterKind {
  readonly name: string
  readonly config: Partial<ProducerConfig>
  /** Whether messages may fail, because of a short timeout or a purge. */
  readonly mayFail?: boolean
  /** Whether it purges queued and in-flight messages now and then. */
  readonly purges?: boolean
}

/** They differ in the settings that decide how batches are built, sent and retried. */
export const kinds: readonly WriterKind[] = [
  { name: 'plain', config: {} },
  { name: 'small', config: { 'linger.ms': 0, 'batch.num.messages': 3, 'compression.type': 'lz4' } },
  { name: 'large', config: { 'linger.ms': 100, 'compression.type': 'zstd' } },
  { name: 'gapless', config: { 'enable.gapless.guarantee': true, 'batch.size': 2000, 'compression.type': 'snappy' } },
  { name: 'single', config: { 'max.in.flight': 1, 'compression.type': 'gzip' } },
  { name: 'hasty', config: { 'message.timeout.ms': 2000, 'batch.size': 3000 }, mayFail: true },
  { name: 'purging', config: { 'batch.num.messages': 10 }, mayFail: true, purges: true },
]

const KEYS = 101
const TURN_MS = 20
const FILL = 'abcdefghij'.repeat(100)
const FLUSH_MS = 180_000

export interface WriterOptions {
  readonly bootstrapServers: string
  readonly topic: string
  /** Per second. */
  readonly messages: number
  readonly random: () => number
  readonly complaints: Complaints
  /** Receives the client's debug logs. */
  readonly log?: (line: string) => void
}

export class Writer {
  readonly reports: Reports
  readonly #kind: WriterKind
  readonly #options: WriterOptions
  readonly #producer: Producer
  readonly #writing: Promise<void>
  #isStopped = false

  constructor(kind: WriterKind, options: WriterOptions) {
    this.#kind = kind
    this.#options = options
    const { log } = options
    this.reports = new Reports(kind.name, options.complaints)
    this.#producer = new Producer(
      {
        'bootstrap.servers': options.bootstrapServers,
        'client.id': kind.name,
        'enable.idempotence': true,
        'message.timeout.ms': 600_000,
        // Short, so that a pause of a few seconds exceeds it.
        'request.timeout.ms': 2000,
        'socket.timeout.ms': 3000,
        'socket.connection.setup.timeout.ms': 2000,
        'reconnect.backoff.max.ms': 1000,
        'linger.ms': 5,
        ...kind.config,
        ...(log === undefined ? {} : { debug: 'msg,eos,broker' }),
      },
      { logger: (_level, facility, message) => log?.(`${Date.now()} ${kind.name} ${facility} ${message}`) },
    )
    this.#writing = this.#write()
  }

  summary(): string {
    const { count, failed } = this.reports
    return `${this.#kind.name}: ${count} messages, ${failed} failed, ${this.#producer.outstanding} outstanding`
  }

  /** Resolves when every message is reported, or after a timeout. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#writing
    const left = await this.#producer.flush(FLUSH_MS)
    const { complaints } = this.#options
    if (left > 0)
      complaints.add(`${this.#kind.name}: ${left} messages not reported ${FLUSH_MS} ms after the last fault`)
    if (this.#producer.fatalError !== null) complaints.add(`${this.#kind.name}: ${String(this.#producer.fatalError)}`)
    await this.#producer.close(1000)
    const { count, reported } = this.reports
    if (reported !== count) complaints.add(`${this.#kind.name}: ${reported} reports for ${count} messages`)
  }

  async #write(): Promise<void> {
    const { messages, random } = this.#options
    let due = 0
    let last = performance.now()
    while (!this.#isStopped) {
      await sleep(TURN_MS)
      const now = performance.now()
      due = Math.min(due + ((now - last) * messages) / 1000, messages)
      last = now
      // In bursts, for batches of one message and of many.
      if (random() < 0.2) while (due >= 1 && this.#produce()) due--
      if (this.#kind.purges && random() < 0.005) {
        const what = random()
        this.#producer.purge({ queue: what < 0.7, inFlight: what > 0.3 })
      }
    }
  }

  /** @returns false if the queue is full */
  #produce(): boolean {
    const { topic, random, complaints } = this.#options
    const { reports } = this
    const { name, mayFail } = this.#kind
    const n = reports.count
    const value = valueOf(name, n, FILL.slice(0, Math.floor(FILL.length ** random())))
    try {
      this.#producer.produce({ topic, key: `key ${n % KEYS}`, value }, ({ status, partition, offset, error }) => {
        reports.report(n, status, partition, offset, error)
        if (error !== undefined && mayFail !== true) complaints.add(`${name} ${n}: ${status}: ${String(error)}`)
      })
    } catch (error) {
      // The client throws nothing but KafkaErrors.
      if ((error as KafkaError).code === ErrorCode.ERR__QUEUE_FULL) return false
      throw error
    }
    reports.accept()
    return true
  }
}
