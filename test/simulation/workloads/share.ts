/** Share groups: members come, leave and crash; each message is accepted in the end, and none comes again after that. */
import type { ShareConsumer, ShareMessage } from 'ottla'
import type { Dice, FaultKind } from '@ottla/broker/simulation'
import { Flag } from '../flag.ts'
import { Churn, type Life } from '../churn.ts'
import { forgetNowAndThen } from '../forgetting.ts'
import { slowGzip } from '../slow-codec.ts'
import { vanishNowAndThen } from '../vanishing.ts'
import { inWords, type World } from '../world.ts'
import { checkReports, Writer } from '../writers.ts'

const TOPIC = 'jobs'
const GROUP = 'workers'
const CALM_LIMIT_MS = 120_000
const LOCK_MS = 15_000
const ways = ['poll', 'iterate', 'run'] as const
/** Under these no partition gets another leader, which forgets locks before consumers can know. */
const leadersStay: readonly FaultKind[] = [
  'cut',
  'cut-broker',
  'cut-midway',
  'vanish',
  'black-hole',
  'refuse',
  'narrow',
  'pause',
  'slow',
  'throttle',
  'move',
  'group-coordinator',
  'error',
]

/** What the group has done with each message. */
class Jobs {
  /** A program has accepted it, as far as it knows. */
  readonly done = new Set<string>()
  /** The broker has confirmed that it is accepted. */
  readonly confirmed = new Set<string>()
  readonly deliveries = new Map<string, number>()
  /** As the broker counts them. */
  readonly counts = new Map<string, number>()
  /** Nothing goes wrong: no faults, no crashes. */
  readonly isQuiet: boolean
  /** No leader moves: a message that was accepted must not come again. */
  readonly leadersStay: boolean
  /** When connections were last lost without a word. */
  vanishedAt = -Infinity
  steps = 0

  constructor(isQuiet: boolean, leadersStay: boolean) {
    this.isQuiet = isQuiet
    this.leadersStay = leadersStay
  }
}

function placeOf({ partition, offset }: { readonly partition: number; readonly offset: number }): string {
  return `${partition}:${offset}`
}

class Worker implements Life {
  readonly name: string
  readonly #world: World
  readonly #dice: Dice
  readonly #jobs: Jobs
  readonly #way: (typeof ways)[number]
  readonly #slowMs: number
  readonly #consumer: ShareConsumer
  readonly #reading: Promise<void>
  /** Accepted, and not yet confirmed. */
  readonly #accepting = new Set<string>()
  readonly #over = new Flag()
  readonly #crashed = new Flag()

  constructor(world: World, name: string, jobs: Jobs) {
    this.name = name
    this.#world = world
    this.#jobs = jobs
    const dice = world.simulation.dice(name)
    this.#dice = dice
    this.#way = dice.pick(ways)
    // In a run, locks are renewed for as long as a handler takes.
    this.#slowMs = this.#way === 'run' ? dice.pick([0, 1, 20, 200, LOCK_MS]) : dice.pick([0, 1, 20, 200])
    const isSlowToRead = world.simulation.dice(`${name}'s habits`).chance(0.3)
    this.#consumer = world.shareConsumer(
      name,
      { 'group.id': GROUP, 'share.acknowledgement.mode': 'explicit' },
      isSlowToRead ? { codecs: [slowGzip(world, name)] } : {},
    )
    world.note(
      `${name} begins: ${this.#way}, ${this.#slowMs} ms for a message${isSlowToRead ? ', decompresses slowly' : ''}`,
    )
    this.#consumer.subscribe([TOPIC])
    this.#consumer.on('acknowledged', ({ partition, offsets, error }) => {
      if (error !== undefined && jobs.isQuiet)
        world.complain(`${name}: ${partition}:${offsets.join(' ')} could not be acknowledged: ${inWords(error)}`)
      for (const offset of offsets) {
        const place = `${partition}:${offset}`
        if (error === undefined && this.#accepting.has(place)) jobs.confirmed.add(place)
        this.#accepting.delete(place)
      }
    })
    this.#reading = this.#read()
  }

  async leave(): Promise<void> {
    this.#over.set()
    await this.#consumer.close()
    await this.#reading
    if (this.#jobs.isQuiet && this.#accepting.size > 0)
      this.#world.complain(`${this.name} has left, and ${[...this.#accepting].join(' ')} are not confirmed`)
  }

  async crash(): Promise<void> {
    this.#over.set()
    this.#crashed.set()
    this.#world.loseHost(this.name)
    await this.#consumer.close(1000)
    await this.#reading
  }

  explain(): string {
    return `${this.name} (${this.#way})`
  }

  async #read(): Promise<void> {
    const consumer = this.#consumer
    while (!this.#over.isSet()) {
      try {
        if (this.#way === 'run') await this.#run()
        else if (this.#way === 'iterate') {
          for await (const message of consumer) {
            await this.#work(message)
            if (this.#over.isSet()) return
          }
        } else {
          const event = await consumer.poll(500)
          if (event?.type === 'message') await this.#work(event.message)
          else await this.#world.sleep(1)
        }
      } catch (error) {
        if (!this.#over.isSet()) this.#world.complain(`${this.name} (${this.#way}) failed: ${inWords(error)}`)
        return
      }
    }
  }

  async #run(): Promise<void> {
    await this.#consumer.run({
      concurrency: 5,
      handler: async (message, { signal }) => {
        await this.#take(message)
        if (this.#dice.chance(0.05)) throw new Error('again')
        // What close has not waited for, it has released.
        if (this.#crashed.isSet() || signal.aborted) return
        this.#accepting.add(placeOf(message))
        this.#finish(message)
      },
    })
  }

  async #take(message: ShareMessage): Promise<void> {
    const place = placeOf(message)
    const jobs = this.#jobs
    jobs.steps++
    jobs.deliveries.set(place, (jobs.deliveries.get(place) ?? 0) + 1)
    this.#world.note(`${this.name} got ${place}`)
    const count = jobs.counts.get(place) ?? 0
    // Of a connection that was lost without a word nobody hears before the locks of its messages end.
    const isKnown = this.#world.now - jobs.vanishedAt > LOCK_MS
    if (jobs.leadersStay && isKnown && message.deliveryCount <= count)
      this.#world.complain(`${place} is given for the ${message.deliveryCount}. time, and was for the ${count}.`)
    jobs.counts.set(place, message.deliveryCount)
    if (jobs.isQuiet && jobs.done.has(place)) this.#world.complain(`${place} is given to ${this.name} again`)
    if (jobs.leadersStay && jobs.confirmed.has(place))
      this.#world.complain(`${place} is given to ${this.name} after it was accepted`)
    if (this.#slowMs > 0) await this.#world.sleep(this.#dice.next() * 2 * this.#slowMs)
  }

  async #work(message: ShareMessage): Promise<void> {
    await this.#take(message)
    if (this.#over.isSet()) return
    const what = this.#dice.chance(0.05) ? 'release' : this.#dice.chance(0.05) ? 'reject' : 'accept'
    if (what !== 'release') this.#accepting.add(placeOf(message))
    try {
      this.#consumer.acknowledge(message, what)
    } catch (error) {
      // Its lock has run out, or the consumer is closed.
      this.#accepting.delete(placeOf(message))
      this.#world.note(`${this.name}: ${inWords(error)}`)
      return
    }
    if (what !== 'release') this.#finish(message)
  }

  #finish(message: ShareMessage): void {
    this.#jobs.done.add(placeOf(message))
    this.#jobs.steps++
  }
}

export async function share(world: World): Promise<void> {
  const { dice, cluster } = world
  world.expectSilence()
  const partitions = dice.int(1, 4)
  cluster.createTopic(TOPIC, { partitions, replicationFactor: 3 })
  await beginAtTheStart(world)
  const isQuiet = dice.chance(0.3)
  const jobs = new Jobs(isQuiet, isQuiet || dice.chance(0.5))
  const churn = new Churn(world, 'worker', name => new Worker(world, name, jobs), isQuiet ? 0 : undefined)
  const writers = Array.from({ length: world.some(1, 2) }, (_, i) => new Writer(world, `writer-${i}`, TOPIC, true))
  world.note(
    `${partitions} partitions, ${isQuiet ? 'quiet' : 'stormy'}, ${jobs.leadersStay ? 'leaders stay' : 'leaders move'}`,
  )
  churn.begin(world.some(1, 3))
  const until = world.now + world.stormMs
  for (const writer of writers) writer.start(until)
  if (isQuiet) await world.sleep(world.stormMs)
  else {
    const forgetting = forgetNowAndThen(world, GROUP, until)
    const vanishing = vanishNowAndThen(world, until, () => (jobs.vanishedAt = world.now))
    await world.storm({
      everyMs: dice.pick([1000, 3000, 10_000]),
      hosts: () => [...writers.map(writer => writer.name), ...churn.names],
      groups: [GROUP],
      ...(jobs.leadersStay ? { kinds: leadersStay } : {}),
    })
    await forgetting
    await vanishing
  }
  await churn.settleDown()
  await Promise.all(writers.map(writer => writer.finish()))
  checkReports(world, writers)
  const log = cluster.messages(TOPIC).map(placeOf)
  await world.progress(
    'the group',
    CALM_LIMIT_MS,
    () => jobs.steps,
    () => {
      const left = log.filter(place => !jobs.done.has(place))
      if (left.length === 0) return null
      const first = left.slice(0, 5).map(place => `${place} (${jobs.deliveries.get(place) ?? 0} times given)`)
      return `${left.length} of ${log.length} messages are not accepted: ${first.join(' ')}`
    },
  )
  await churn.end()
}

async function beginAtTheStart(world: World): Promise<void> {
  const admin = world.admin('admin')
  const entries = [
    { name: 'share.auto.offset.reset', value: 'earliest', operation: 'set' as const },
    { name: 'share.record.lock.duration.ms', value: String(LOCK_MS), operation: 'set' as const },
    // Lost connections count as deliveries, too: with fewer, a storm uses them up.
    { name: 'share.delivery.count.limit', value: '10', operation: 'set' as const },
  ]
  await world.settle(
    admin.incrementalAlterConfigs([{ type: 'group', name: GROUP, entries }]),
    60_000,
    'the group settings',
  )
  await world.settle(admin.close(), 60_000, 'closing the administration')
}
