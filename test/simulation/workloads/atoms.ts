/** Producers that write over several partitions in transactions: readers see all of one or nothing. */
import type { Producer } from 'ottla'
import type { Dice } from '@ottla/broker/simulation'
import { Flag } from '../flag.ts'
import { committedReader } from '../committed-reader.ts'
import { checkLag, endOffsets, maybeVersion1 } from '../offsets.ts'
import { inWords, type World } from '../world.ts'

const TOPIC = 'atoms'
const CALM_LIMIT_MS = 180_000
const CLOSE_LIMIT_MS = 120_000
/** Between two transactions of a sparse run. */
const MOST_PAUSE_MS = 600

type Fate = 'open' | 'committed' | 'aborted' | 'unknown'

/** One transaction: what was written in it, and what the program knows of its end. */
interface Atom {
  readonly values: string[]
  fate: Fate
}

class Atomist {
  readonly #world: World
  readonly #dice: Dice
  readonly #number: number
  readonly #partitions: number
  readonly #atoms: Atom[]
  #life = 0
  /** The last life that has claimed the id: those before it are fenced. */
  #claimed = 0
  readonly #over = new Flag()

  constructor(world: World, number: number, partitions: number, atoms: Atom[]) {
    this.#world = world
    this.#number = number
    this.#partitions = partitions
    this.#atoms = atoms
    this.#dice = world.simulation.dice(`atomist ${number}`)
  }

  get host(): string {
    return `atomist-${this.#number}-${this.#life}`
  }

  stop(): void {
    this.#over.set()
  }

  async run(): Promise<void> {
    const zombies: Promise<unknown>[] = []
    while (!this.#over.isSet()) {
      this.#life++
      const producer = this.#world.producer(this.host, {
        'transactional.id': `atomist-${this.#number}`,
        'linger.ms': this.#dice.pick([0, 5]),
        'transaction.timeout.ms': this.#dice.pick([5000, 20_000]),
        // Never longer than the transaction.
        'message.timeout.ms': this.#dice.pick([500, 5000, 5000]),
      })
      const name = this.host
      const life = this.#life
      try {
        await producer.initTransactions(30_000)
        this.#claimed = life
        for (let left = this.#dice.int(1, 30); left > 0 && !this.#over.isSet(); left--) {
          if (this.#world.plan.tempo === 'sparse') await this.#world.work(this.#dice.int(0, MOST_PAUSE_MS))
          await this.#transaction(producer, life)
        }
      } catch (error) {
        this.#world.note(`${name} failed: ${inWords(error)}`)
      }
      // Sometimes the one before is still at work when the next begins, and is fenced.
      if (this.#dice.chance(0.3)) zombies.push(this.#haunt(producer, life))
      else await this.#world.settle(producer.close(5000), CLOSE_LIMIT_MS, `closing ${name}`)
    }
    await Promise.all(zombies)
  }

  /** Without faults, one transaction after the other succeeds. */
  async prove(): Promise<void> {
    this.#life++
    const producer = this.#world.producer(this.host, { 'transactional.id': `atomist-${this.#number}` })
    await producer.initTransactions(CALM_LIMIT_MS)
    for (let count = 0; count < 2; count++) {
      const number = this.#atoms.length
      const values = Array.from({ length: this.#partitions }, (_, partition) => `${number}:${partition}`)
      this.#atoms.push({ values, fate: 'committed' })
      producer.beginTransaction()
      values.forEach((value, partition) => producer.produce({ topic: TOPIC, partition, value }, () => undefined))
      await producer.commitTransaction(CALM_LIMIT_MS)
    }
    await producer.close()
  }

  async #haunt(producer: Producer, life: number): Promise<void> {
    try {
      for (let left = this.#dice.int(1, 5); left > 0; left--) {
        await this.#transaction(producer, life)
        if (this.#dice.chance(0.5)) await this.#world.sleep(this.#dice.int(0, 3000))
      }
    } catch (error) {
      this.#world.note(`a zombie ends: ${inWords(error)}`)
    }
    await this.#world.settle(producer.close(5000), CLOSE_LIMIT_MS, 'closing a zombie')
  }

  async #transaction(producer: Producer, life: number): Promise<void> {
    const dice = this.#dice
    const atom: Atom = { values: [], fate: 'open' }
    const number = this.#atoms.length
    this.#atoms.push(atom)
    const isFenced = this.#claimed > life
    try {
      producer.beginTransaction()
      for (let i = dice.int(1, 8); i > 0; i--) {
        const value = `${number}:${i}`
        atom.values.push(value)
        producer.produce({ topic: TOPIC, partition: dice.int(0, this.#partitions - 1), value }, () => undefined)
        if (dice.chance(0.2)) await this.#world.sleep(dice.int(0, 300))
      }
      if (dice.chance(0.3)) {
        await producer.abortTransaction(60_000)
        atom.fate = 'aborted'
      } else {
        atom.fate = 'unknown'
        await producer.commitTransaction(60_000)
        atom.fate = 'committed'
        if (isFenced && atom.values.length > 0)
          this.#world.complain(`${number} was begun and committed by an instance that had been fenced`)
      }
      this.#world.note(`${number} ${atom.fate}`)
    } catch (error) {
      this.#world.note(`${number} ${atom.fate}: ${inWords(error)}`)
      // Where the program did not ask for a commit, there must be none.
      const canAbort = (error as { txnRequiresAbort?: boolean }).txnRequiresAbort === true
      if (atom.fate === 'open') atom.fate = 'aborted'
      if (!canAbort) throw error
      await producer.abortTransaction(60_000)
      atom.fate = 'aborted'
    }
  }
}

export async function atoms(world: World): Promise<void> {
  const { dice, cluster } = world
  const partitions = dice.int(1, 4)
  cluster.createTopic(TOPIC, { partitions, replicationFactor: 3 })
  await maybeVersion1(world)
  const written: Atom[] = []
  const atomists = Array.from({ length: world.some(1, 3) }, (_, i) => new Atomist(world, i, partitions, written))
  world.note(`${partitions} partitions, ${atomists.length} atomists`)
  const reader = committedReader(world, TOPIC)
  const working = Promise.all(atomists.map(atomist => atomist.run()))
  await world.storm({
    everyMs: dice.pick([500, 1000, 3000, 10_000]),
    transactionalIds: atomists.map((_, i) => `atomist-${i}`),
  })
  for (const atomist of atomists) atomist.stop()
  await world.settle(working, CALM_LIMIT_MS * 2, 'the atomists')
  await world.settle(Promise.all(atomists.map(atomist => atomist.prove())), CALM_LIMIT_MS, 'a transaction in calm')
  // Transactions that nobody ends are aborted by their timeouts.
  await world.sleep(30_000)
  const expected = written.filter(({ fate }) => fate === 'committed').flatMap(({ values }) => values)
  await world.progress(
    'the reader of committed messages',
    CALM_LIMIT_MS,
    () => reader.seen.size,
    () => {
      const missing = expected.filter(value => !reader.seen.has(value))
      return missing.length === 0
        ? null
        : `${missing.length} committed messages are not seen: ${missing.slice(0, 5).join(' ')}`
    },
  )
  await world.sleep(10_000)
  await reader.close()
  checkLag(world, reader.name, TOPIC, await endOffsets(world, TOPIC, partitions))
  written.forEach(({ values, fate }, number) => {
    const seen = values.filter(value => reader.seen.has(value))
    if (fate === 'aborted' && seen.length > 0)
      world.complain(`transaction ${number} was aborted, and ${seen.join(' ')} are seen`)
    if (seen.length > 0 && seen.length < values.length) {
      world.complain(`of transaction ${number} (${fate}) ${seen.length} of ${values.length} messages are seen`)
    }
  })
  for (const [value, places] of reader.seen) {
    if (places.length > 1) world.complain(`${value} is seen ${places.length} times: ${places.join(' ')}`)
  }
}
