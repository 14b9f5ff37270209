/** Producers whose every message is followed: from `produce` to its report and its place in the log. */
import { KafkaError, type DeliveryReport, type Producer, type ProducerConfig } from 'ottla'
import type { Dice } from '@ottla/broker/simulation'
import { inWords, type World } from './world.ts'

interface Report {
  readonly status: DeliveryReport['status'] | 'refused'
  readonly partition: number
  readonly offset: number
  /** Of its error; 0 without one. */
  readonly code: number
  /** Virtual ms. */
  readonly at: number
}

const FLUSH_LIMIT_MS = 400_000

/** Writes now and then until a moment. Values are `name:number`. */
export class Writer {
  readonly name: string
  readonly topic: string
  readonly isIdempotent: boolean
  /** By the message's number. */
  readonly reports: Report[][] = []
  /** When each message was produced, virtual ms; by its number. */
  readonly producedAt: number[] = []
  readonly producer: Producer
  readonly #world: World
  readonly #dice: Dice
  #writing: Promise<void> = Promise.resolve()

  constructor(world: World, name: string, topic: string, isIdempotent: boolean, config: Partial<ProducerConfig> = {}) {
    this.#world = world
    this.name = name
    this.topic = topic
    this.isIdempotent = isIdempotent
    const dice = world.simulation.dice(name)
    this.#dice = dice
    this.producer = world.producer(name, {
      'enable.idempotence': isIdempotent,
      'linger.ms': dice.pick([0, 5, 50]),
      'message.timeout.ms': dice.pick([10_000, 60_000, 300_000]),
      'compression.type': dice.pick(['none', 'none', 'lz4', 'gzip']),
      acks: -1,
      ...config,
    })
  }

  start(until: number): void {
    this.#writing = this.#write(until)
  }

  /** Resolves when every message has its report and the producer is closed. */
  async finish(): Promise<void> {
    await this.#world.settle(
      (async () => {
        await this.#writing
        await this.producer.flush()
        await this.producer.close()
      })(),
      FLUSH_LIMIT_MS,
      `${this.name}'s flush and close`,
    )
  }

  async #write(until: number): Promise<void> {
    while (this.#world.now < until) {
      await this.#world.work(this.#dice.int(0, 400))
      for (let i = this.#dice.int(1, 5); i > 0; i--) this.#produce()
    }
  }

  #produce(): void {
    const number = this.reports.length
    const reports: Report[] = []
    this.reports.push(reports)
    this.producedAt.push(this.#world.now)
    try {
      this.producer.produce({ topic: this.topic, key: `k${number % 7}`, value: `${this.name}:${number}` }, report => {
        const { status, partition, offset, error } = report
        reports.push({ status, partition, offset, code: error?.code ?? 0, at: this.#world.now })
        this.#world.note(`${this.name} ${number} ${status} [${partition}] ${offset} ${error?.code ?? ''}`)
      })
    } catch (error) {
      const code = error instanceof KafkaError ? error.code : -1
      reports.push({ status: 'refused', partition: -1, offset: -1, code, at: this.#world.now })
      this.#world.note(`${this.name} ${number} refused: ${inWords(error)}`)
    }
  }
}

/** Every message has one report, which is true; nothing is doubled or out of order where that is promised. */
export function checkReports(world: World, writers: readonly Writer[]): void {
  const places = placesOf(world, writers)
  for (const { name, reports, isIdempotent } of writers) {
    reports.forEach((own, number) => {
      const value = `${name}:${number}`
      const at = places.get(value) ?? []
      if (own.length !== 1) world.complain(`${value} has ${own.length} reports`)
      const [report] = own
      if (report === undefined) return
      const { status, partition, offset } = report
      if (status === 'persisted' && !at.includes(`${partition}:${offset}`) && (offset >= 0 || at.length === 0)) {
        world.complain(`${value} is said to be at ${partition}:${offset}, and is at ${at.join(' ') || 'no place'}`)
      }
      if ((status === 'not-persisted' || status === 'refused') && at.length > 0) {
        world.complain(`${value} is ${status}, and is at ${at.join(' ')}`)
      }
      if (isIdempotent && at.length > 1) world.complain(`${value} is there ${at.length} times: ${at.join(' ')}`)
    })
  }
}

// Where each value stands. Complains about those out of order.
function placesOf(world: World, writers: readonly Writer[]): Map<string, string[]> {
  const places = new Map<string, string[]>()
  const last = new Map<string, number>()
  const idempotent = new Set(writers.filter(writer => writer.isIdempotent).map(writer => writer.name))
  for (const topic of new Set(writers.map(writer => writer.topic))) {
    for (const { partition, offset, value } of world.cluster.messages(topic)) {
      const text = String(value)
      const place = `${partition}:${offset}`
      const at = places.get(text)
      if (at === undefined) places.set(text, [place])
      else at.push(place)
      const [writer = '', digits = ''] = text.split(':')
      const number = Number(digits)
      const key = `${writer}/${partition}`
      const before = last.get(key) ?? -1
      if (number <= before && idempotent.has(writer)) world.complain(`${text} at ${place} stands behind ${before}`)
      last.set(key, Math.max(number, before))
    }
  }
  return places
}
