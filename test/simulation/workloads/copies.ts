/** Copiers that read, write and commit in transactions; they come, go, fail and are fenced: each message is copied once. */
import type { ConsumerConfig } from 'ottla'
import type { Dice } from '@ottla/broker/simulation'
import { committedReader } from '../committed-reader.ts'
import { forgetNowAndThen } from '../forgetting.ts'
import { checkLag, endOffsets, maybeVersion1 } from '../offsets.ts'
import { inWords, type World } from '../world.ts'
import { checkReports, Writer } from '../writers.ts'

const SOURCE = 'in'
const TARGET = 'out'
const GROUP = 'copiers'
const CALM_LIMIT_MS = 180_000
const END_LIMIT_MS = 300_000

class Copier {
  readonly #world: World
  readonly #dice: Dice
  readonly #number: number
  readonly #config: Partial<ConsumerConfig>
  readonly #stop: AbortSignal
  readonly #zombies: Promise<unknown>[] = []
  #isCalm = false
  #life = 0

  constructor(world: World, number: number, config: Partial<ConsumerConfig>, stop: AbortSignal) {
    this.#world = world
    this.#number = number
    this.#dice = world.simulation.dice(`copier ${number}`)
    this.#config = config
    this.#stop = stop
  }

  /** From now on it stays. */
  calm(): void {
    this.#isCalm = true
  }

  get host(): string {
    return `copier-${this.#number}-${this.#life}`
  }

  async run(): Promise<void> {
    while (!this.#stop.aborted) {
      this.#life++
      await this.#live()
      await this.#world.sleep(this.#dice.int(1, 1000))
    }
    await Promise.all(this.#zombies)
  }

  async #live(): Promise<void> {
    const world = this.#world
    const dice = this.#dice
    const name = this.host
    const consumer = world.consumer(name, { 'group.id': GROUP, 'auto.offset.reset': 'earliest', ...this.#config })
    consumer.subscribe([SOURCE])
    // With an id of its own, a copier does not fence the one before.
    const id = dice.chance(0.5) ? `id-${this.#number}` : `id-${name}`
    const producer = world.producer(name, {
      'transactional.id': id,
      'linger.ms': dice.pick([0, 5]),
      'transaction.timeout.ms': dice.pick([10_000, 60_000]),
    })
    world.note(`${name} begins as ${id}`)
    const leaving = new AbortController()
    let batches = this.#isCalm ? Infinity : dice.int(1, 60)
    try {
      await producer.transactional(
        consumer,
        async (batch, transaction) => {
          if (dice.chance(0.2)) await world.sleep(dice.int(0, 500))
          for (const { partition, value } of batch) {
            transaction.produce({ topic: TARGET, partition, value }, () => undefined)
          }
          if (--batches > 0) return
          if (dice.chance(0.5)) throw new Error('the copier fails')
          leaving.abort()
        },
        { maxMessages: 50, signal: AbortSignal.any([this.#stop, leaving.signal]) },
      )
      world.note(`${name} has ended`)
    } catch (error) {
      world.note(`${name} failed: ${inWords(error)}`)
    }
    const end = (): Promise<unknown> => Promise.all([producer.close(2000), consumer.close(2000)])
    // A zombie is there for a while yet.
    if (!this.#isCalm && dice.chance(0.3)) this.#zombies.push(world.sleep(dice.int(0, 30_000)).then(end))
    else await end()
  }
}

export async function copies(world: World): Promise<void> {
  const { dice, cluster } = world
  const partitions = dice.int(1, 4)
  for (const topic of [SOURCE, TARGET]) cluster.createTopic(topic, { partitions, replicationFactor: 3 })
  await maybeVersion1(world)
  const protocol = dice.chance(0.4) ? 'consumer' : 'classic'
  const strategy = dice.pick(['range', 'cooperative-sticky'])
  const config: Partial<ConsumerConfig> = {
    'enable.auto.commit': false,
    'isolation.level': 'read_committed',
    ...(protocol === 'classic'
      ? { 'session.timeout.ms': 6000, 'partition.assignment.strategy': strategy }
      : { 'group.protocol': 'consumer' }),
  }
  const count = world.some(1, 3)
  world.note(`${partitions} partitions, ${protocol} ${strategy}, ${count} copiers`)
  const stop = new AbortController()
  const copiers = Array.from({ length: count }, (_, i) => new Copier(world, i, config, stop.signal))
  const writer = new Writer(world, 'writer-0', SOURCE, true)
  writer.start(world.now + world.stormMs)
  const copying = Promise.all(copiers.map(copier => copier.run()))
  const forgetting = forgetNowAndThen(world, GROUP, world.now + world.stormMs)
  await world.storm({
    everyMs: dice.pick([500, 1000, 3000, 10_000]),
    hosts: () => [writer.name, ...copiers.map(copier => copier.host)],
    groups: [GROUP],
    transactionalIds: copiers.map((_, i) => `id-${i}`),
  })
  await forgetting
  for (const copier of copiers) copier.calm()
  await writer.finish()
  checkReports(world, [writer])
  const written = new Set(cluster.messages(SOURCE).map(({ value }) => String(value)))
  const reader = committedReader(world, TARGET)
  await world.progress(
    'copying',
    CALM_LIMIT_MS,
    () => reader.seen.size,
    () => {
      const missing = [...written].filter(value => !reader.seen.has(value))
      if (missing.length === 0) return null
      return `${missing.length} of ${written.size} messages are not copied: ${missing.slice(0, 5).join(' ')}`
    },
  )
  stop.abort()
  await world.settle(copying, END_LIMIT_MS, 'the copiers')
  await reader.close()
  checkLag(world, GROUP, SOURCE, await endOffsets(world, SOURCE, partitions))
  for (const [value, places] of reader.seen) {
    if (places.length > 1) world.complain(`${value} is copied ${places.length} times: ${places.join(' ')}`)
  }
}
