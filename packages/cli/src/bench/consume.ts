import { Consumer, type ClientOptions, type ConsumerConfig } from 'ottla'
import { firstContact } from '../client/connect.ts'
import type { ClusterProperties } from '../client/options.ts'
import { checksum } from './pool.ts'
import { mark, type BenchPlan, type BenchRun, type Mark } from './result.ts'

const TIME_LIMIT_MS = 300_000
const POLL_MS = 1000

/** Reads from the beginning in a new group; the time includes joining it. Reads every value's length and first byte. */
export async function benchConsume(
  properties: ClusterProperties,
  plan: BenchPlan,
  shared: ClientOptions,
): Promise<BenchRun> {
  const config: ConsumerConfig = {
    'group.id': `bench-ottla-${process.pid}-${Date.now()}`,
    'auto.offset.reset': 'earliest',
    ...properties,
  }
  const consumer = new Consumer(config, shared)
  try {
    await firstContact(consumer)
    consumer.subscribe(plan.topic)
    const tally = new Tally(plan)
    // Without this, a topic with too few messages would block for ever.
    const timer = setTimeout(() => tally.giveUp(consumer), TIME_LIMIT_MS)
    try {
      if (plan.api === 'poll') await byPoll(consumer, tally)
      else if (plan.api === 'iterate') await byIterator(consumer, tally)
      else await byBatches(consumer, tally)
    } catch (error) {
      if (!tally.gaveUp) throw error
    } finally {
      clearTimeout(timer)
    }
    return tally.run()
  } finally {
    await consumer.close()
  }
}

/** Counts and checks the values read, and keeps the times. */
class Tally {
  readonly #total: number
  readonly #warmup: number
  readonly #size: number
  readonly #opened: number
  #start: Mark
  #end: Mark | null = null
  #firstMessage = 0
  #seen = 0
  #sum = 0
  #bad = 0
  gaveUp = false

  constructor(plan: BenchPlan) {
    this.#total = plan.warmup + plan.count
    this.#warmup = plan.warmup
    this.#size = plan.size
    this.#start = mark()
    this.#opened = this.#start.wall
  }

  /** @returns whether that was the last value to read */
  count(value: Buffer | null): boolean {
    if (this.#seen === 0) this.#firstMessage = mark().wall - this.#opened
    if (value === null || value.length !== this.#size) this.#bad++
    else this.#sum += value[0] ?? 0
    this.#seen++
    if (this.#seen === this.#warmup) this.#start = mark()
    if (this.#seen < this.#total) return false
    this.#end = mark()
    return true
  }

  giveUp(consumer: Consumer): void {
    this.gaveUp = true
    consumer.close().catch(() => undefined) // the caller closes it again and awaits that
  }

  run(): BenchRun {
    const complete = this.#bad === 0 && this.#seen === this.#total
    return {
      start: this.#start,
      end: this.#end ?? mark(),
      errors: this.#bad,
      checksumOk: complete && this.#sum === checksum(this.#total),
      firstMessage: this.#firstMessage,
    }
  }
}

async function byBatches(consumer: Consumer, tally: Tally): Promise<void> {
  for await (const batch of consumer.batches()) {
    for (const message of batch) if (tally.count(message.value)) return
  }
}

async function byIterator(consumer: Consumer, tally: Tally): Promise<void> {
  for await (const message of consumer) if (tally.count(message.value)) return
}

async function byPoll(consumer: Consumer, tally: Tally): Promise<void> {
  for (;;) {
    const event = await consumer.poll(POLL_MS)
    if (event === null) {
      if (tally.gaveUp) return
      continue
    }
    if (event.type === 'message' && tally.count(event.message.value)) return
  }
}
